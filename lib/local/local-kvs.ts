/** The embedded KVS: everything wired together. */
import { EventEmitter } from 'node:events';
import { ErrorCode, LocalKvsError } from '../util/errors.js';
import { Registry } from './control/registry.js';
import { Endpoints } from './endpoints.js';
import type { LocalKvsEvents } from './events.js';
import type { Faults } from './faults/faults.js';
import { Listener } from './http/listener.js';
import type { Handlers } from './http/listener.js';
import { resolveOptions } from './options.js';
import type {
  LocalKvsLogger,
  LocalKvsOptions,
  ResolvedOptions,
  TlsCertificate,
} from './options.js';
import { createServices } from './services.js';
import type { Services } from './services.js';
import { DataFolder, guarded } from './store/data-folder.js';
import type { StreamReader } from './store/fragment.js';
import { FragmentStore } from './store/fragment-store.js';
import { ownCertificate } from './tls/certificate.js';

/** URLs of a running server. */
export interface LocalKvsEndpoints {
  readonly http: string;
  readonly ws: string;
  /** undefined without TLS */
  readonly https: string | undefined;
  /** undefined without TLS */
  readonly wss: string | undefined;
}

/** The parts that hold what is stored. */
interface Parts {
  readonly folder: DataFolder;
  readonly registry: Registry;
  readonly store: FragmentStore;
}

/**
 * A server that speaks the AWS API of Kinesis Video Streams: channels, streams, signaling,
 * PutMedia and read-back, on one machine, with what it stores in one folder.
 *
 * @example
 * ```ts
 * await using kvs = await LocalKvs.start({ dataDir: './kvs-data' });
 * const client = new KinesisVideoClient({ endpoint: kvs.url, credentials: localCredentials });
 * ```
 */
export class LocalKvs extends EventEmitter<LocalKvsEvents> implements AsyncDisposable {
  /** Makes the server misbehave. */
  readonly faults: Faults;
  readonly region: string;
  readonly accountId: string;
  /** PEM of the certificate to trust; undefined unless it is the server's own. */
  readonly caPem: string | undefined;
  readonly #parts: Parts;
  readonly #endpoints: Endpoints;
  readonly #services: Services;
  #hasTls = false;
  #listeners: Listener[] = [];
  #closing: Promise<void> | undefined;

  private constructor(
    options: ResolvedOptions,
    parts: Parts,
    caPem: string | undefined,
    logger: LocalKvsLogger | undefined,
  ) {
    super();
    this.region = options.region;
    this.accountId = options.accountId;
    this.caPem = caPem;
    this.#parts = parts;
    this.#endpoints = new Endpoints(options.advertisedHost);
    this.#services = createServices({
      options,
      registry: parts.registry,
      store: parts.store,
      endpoints: this.#endpoints,
      emit: (name, event) => {
        // TypeScript does not follow a generic name to its tuple of arguments.
        (this as EventEmitter).emit(name, event);
      },
      logger,
    });
    this.faults = this.#services.faults;
  }

  /**
   * Starts a server on a data folder.
   *
   * @throws {@link OptionsError} an option is not valid
   * @throws {@link LocalKvsError} `KVSB_PORT_UNAVAILABLE`, a port is taken or not allowed;
   * `KVSB_DATA_FOLDER`, the folder cannot be used or is in use
   */
  static async start(options: LocalKvsOptions): Promise<LocalKvs> {
    const { signal, logger } = options;
    const resolved = resolveOptions(options);
    signal?.throwIfAborted();
    const folder = await DataFolder.open(resolved.dataDir);
    const undo = new AsyncStack();
    undo.add(async () => folder.close());
    try {
      const { registry, store } = await guarded(folder.path, async () => {
        const opened = await Registry.open({ folder: folder.path, ...resolved });
        return {
          registry: opened,
          store: await FragmentStore.open({
            folder: folder.path,
            registry: opened,
            limits: resolved.limits.storage,
            logger,
          }),
        };
      });
      undo.add(async () => store.close());
      const { tls, advertisedHost } = resolved;
      const certificate =
        tls === 'self-signed'
          ? await guarded(folder.path, async () => ownCertificate(folder.path, advertisedHost))
          : tls;
      const caPem = tls === 'self-signed' ? certificate?.certPem : undefined;
      const kvs = new LocalKvs(resolved, { folder, registry, store }, caPem, logger);
      undo.add(async () => kvs.#closeListeners());
      await kvs.#listen(resolved, certificate, signal);
      return kvs;
    } catch (error) {
      await undo.run();
      throw error;
    }
  }

  /** Base URL of http calls, such as `http://127.0.0.1:41234`. */
  get url(): string {
    return this.#endpoints.http(false);
  }

  /** Base URL of WebSockets: `wss:` with TLS, else `ws:`. */
  get wssUrl(): string {
    return this.#endpoints.ws(this.#hasTls);
  }

  /** All base URLs. */
  get endpoints(): LocalKvsEndpoints {
    return {
      http: this.#endpoints.http(false),
      ws: this.#endpoints.ws(false),
      https: this.#hasTls ? this.#endpoints.http(true) : undefined,
      wss: this.#hasTls ? this.#endpoints.ws(true) : undefined,
    };
  }

  /**
   * Stored fragments of a stream, oldest first; those of a stream with retention 0 that are still
   * in memory included.
   *
   * @throws {@link LocalKvsError} `KVSB_STREAM_NOT_FOUND`
   */
  async openStream(streamName: string): Promise<StreamReader> {
    const stream = this.#parts.registry.streamByName(streamName);
    if (stream !== undefined) return this.#parts.store.of(stream);
    throw new LocalKvsError(ErrorCode.streamNotFound, `The local KVS has no stream ${streamName}`, {
      fix: 'Check the name, or create the stream.',
    });
  }

  /** Ends every connection and leaves the data folder in order. Twice is fine. */
  async close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(
    options: ResolvedOptions,
    certificate: TlsCertificate | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { host, port, tlsPort } = options;
    const { api, signaling } = this.#services;
    const handlers: Handlers = {
      request: (request, response) => void api.handle(request, response),
      upgrade: (request, socket, head) => {
        signaling.upgrade(request, socket, head);
      },
    };
    const open = async (wanted: number, tls: TlsCertificate | undefined): Promise<void> => {
      const listener = await Listener.open({
        host,
        port: wanted,
        certificate: tls,
        handlers,
        signal,
      });
      this.#listeners.push(listener);
      this.#endpoints.setPort(tls !== undefined, listener.port);
    };
    await open(port, undefined);
    if (certificate === undefined) return;
    await open(tlsPort, certificate);
    this.#hasTls = true;
  }

  async #close(): Promise<void> {
    const { api, signaling, putMedia } = this.#services;
    const { folder, registry, store } = this.#parts;
    api.close();
    await Promise.all([signaling.close(), putMedia.close()]);
    await this.#closeListeners();
    await store.close();
    await registry.close();
    await folder.close();
  }

  async #closeListeners(): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map(async (listener) => listener.close()));
  }
}

/** Steps to take back when a start fails half way, the last one first. */
class AsyncStack {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.toReversed()) await step();
  }
}
