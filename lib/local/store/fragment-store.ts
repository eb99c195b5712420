/** The fragments of all streams. */
import { EventEmitter } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamRecord } from '../control/records.js';
import type { Registry } from '../control/registry.js';
import type { LocalKvsLogger, StorageLimits } from '../options.js';
import { StreamStore } from './stream-store.js';

/** Options of {@link FragmentStore}. */
export interface FragmentStoreOptions {
  /** The server's data folder. */
  readonly folder: string;
  readonly registry: Registry;
  readonly limits: StorageLimits;
  readonly logger: LocalKvsLogger | undefined;
}

/** Events of {@link FragmentStore}. */
export interface FragmentStoreEvents {
  /** A stream and its fragments are gone. */
  streamClosed: [streamArn: string];
}

/** Opens a stream's store at its first use, trims all of them, and forgets deleted streams. */
export class FragmentStore extends EventEmitter<FragmentStoreEvents> {
  readonly #options: FragmentStoreOptions;
  readonly #folder: string;
  readonly #stores = new Map<string, Promise<StreamStore>>();
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: FragmentStoreOptions) {
    super();
    this.#options = options;
    this.#folder = join(options.folder, 'streams');
  }

  static async open(options: FragmentStoreOptions): Promise<FragmentStore> {
    const store = new FragmentStore(options);
    await store.#start();
    return store;
  }

  /** The store of a stream that exists. */
  async of(stream: StreamRecord): Promise<StreamStore> {
    let store = this.#stores.get(stream.arn);
    if (store === undefined) {
      const { limits, logger } = this.#options;
      const folder = join(this.#folder, folderName(stream));
      store = StreamStore.open({ folder, limits, logger });
      this.#stores.set(stream.arn, store);
      // What failed once, for want of space perhaps, may work the next time.
      store.catch(() => this.#stores.delete(stream.arn));
    }
    return store;
  }

  async close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #start(): Promise<void> {
    const { registry, limits } = this.#options;
    await mkdir(this.#folder, { recursive: true });
    const known = new Set(registry.streams.map(folderName));
    for (const name of await readdir(this.#folder)) {
      if (!known.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
    await this.#trim();
    registry.on('streamDeleted', this.#onDeleted);
    registry.on('retentionChanged', this.#onRetentionChanged);
    this.#timer = setInterval(() => {
      this.#run(this.#trim());
    }, limits.trimIntervalMs).unref();
  }

  async #close(): Promise<void> {
    const { registry } = this.#options;
    clearInterval(this.#timer);
    registry.off('streamDeleted', this.#onDeleted);
    registry.off('retentionChanged', this.#onRetentionChanged);
    for (const store of this.#stores.values()) await (await store).close();
  }

  readonly #onDeleted = (stream: StreamRecord): void => {
    this.#run(this.#delete(stream));
  };

  readonly #onRetentionChanged = (stream: StreamRecord): void => {
    this.#run(this.of(stream).then(async (store) => store.trim(stream.retentionHours)));
  };

  async #delete(stream: StreamRecord): Promise<void> {
    const store = this.#stores.get(stream.arn);
    this.#stores.delete(stream.arn);
    await (await store)?.close();
    this.emit('streamClosed', stream.arn);
    await rm(join(this.#folder, folderName(stream)), { recursive: true, force: true });
  }

  async #trim(): Promise<void> {
    for (const stream of this.#options.registry.streams) {
      await (await this.of(stream)).trim(stream.retentionHours);
    }
  }

  /** House-keeping that fails is logged; it is tried again with the next change or interval. */
  #run(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#options.logger?.warn({ error: String(error) }, 'house-keeping of fragments failed');
    });
  }
}

/** Creation times are unique, so this is; names may be longer than a folder's may. */
function folderName({ name, createdAtMs }: StreamRecord): string {
  return `${name.slice(0, 100)}-${createdAtMs}`;
}
