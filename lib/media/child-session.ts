/** A media session in a process of its own: the Bridge's side. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AwsCredentials } from '../aws/credentials.js';
import type { KvsBridgeError } from '../util/errors.js';
import { ErrorCode, MediaError, asKvsBridgeError, deserializeError } from '../util/errors.js';
import { withoutSteering } from '../kvssink/environment.js';
import type { KvsSinkPlace } from '../kvssink/environment.js';
import { KvsSinkFolder } from '../kvssink/private-folder.js';
import { deferred } from '../util/deferred.js';
import { redact } from '../util/redact.js';
import { hideIcePasswords } from '../util/secrets.js';
import { noTotals } from './media-session.js';
import type {
  FragmentTag,
  MediaSession,
  MediaSessionEnd,
  MediaSessionEvents,
  MediaSessionOptions,
  MediaTotals,
} from './media-session.js';
import { parseToHost, protocolVersion, silenceLimitMs } from './protocol.js';
import type { ToHost, ToWorker } from './protocol.js';

/** Between the end of its drain time and the child being killed. */
const exitGraceMs = 3_000;

/** Loading Node, the addon and, on a machine's first run, scanning GStreamer's plugins. */
const startLimitMs = 20_000;

/** Lines of the child's stderr that are kept to explain its end. */
const keptStderrLines = 5;

/** A small heap: the child moves bytes and keeps none in JavaScript. Threads to clear it cost more. */
const nodeFlags = ['--max-semi-space-size=1', '--max-old-space-size=256', '--single-threaded-gc'];

/** A message without its discriminator. */
function bodyOf<T extends ToHost>(message: T): Omit<T, 'type'> {
  const body: Partial<T> = { ...message };
  delete body.type;
  return body as Omit<T, 'type'>;
}

/**
 * The child gets its credentials by message; it must not find others in its environment. What
 * GStreamer is to log comes by message too.
 */
function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(withoutSteering(process.env)).filter(
      ([name]) => !name.startsWith('KVS_BRIDGE_') && name !== 'GST_DEBUG',
    ),
  );
}

/**
 * One child per session: a crash, a hang or a leak of the media stack ends with it. A child that
 * dies, or says nothing for {@link silenceLimitMs}, ends the session with `KVSB_MEDIA_PROCESS`.
 */
export class ChildMediaSession extends EventEmitter<MediaSessionEvents> implements MediaSession {
  readonly #child: ChildProcess;
  readonly #stderr: string[] = [];
  readonly #closed = deferred<MediaSessionEnd>();
  #totals: MediaTotals = noTotals;
  #end: { readonly error?: KvsBridgeError } | undefined;
  #silence: NodeJS.Timeout | undefined;
  #exitDeadline: NodeJS.Timeout | undefined;
  #early: ToWorker[] | undefined = [];
  #stopping = false;
  readonly #folder: KvsSinkFolder | undefined;

  /**
   * Forks the child at once, so that it loads while the caller still looks things up.
   *
   * @param kvsSink - where kvssink is to connect to, should it be used
   */
  constructor(kvsSink?: KvsSinkPlace) {
    super();
    this.#folder = kvsSink === undefined ? undefined : new KvsSinkFolder(kvsSink);
    this.#child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), [], {
      env: { ...childEnvironment(), ...this.#folder?.environment },
      execArgv: nodeFlags,
      // Nothing may reach our stdout: kvssink prints there.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message) => {
      this.#onMessage(message);
    });
    this.#child.on('error', (error) => {
      this.#fail(
        new MediaError(ErrorCode.mediaProcess, 'The media process cannot be started', {
          cause: error,
          fix: 'Check the memory and process limits of the machine or container.',
        }),
      );
    });
    this.#child.on('close', (code, signal) => {
      this.#onExit(code, signal);
    });
    if (this.#child.stderr !== null) {
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#onStderr(line);
      });
    }
    this.#expectSign(startLimitMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  start(options: MediaSessionOptions): void {
    const early = this.#early;
    if (early === undefined) return;
    this.#early = undefined;
    this.#send({
      type: 'start',
      version: protocolVersion,
      options: this.#withFolder(options),
    });
    for (const message of early) this.#send(message);
  }

  /** Tells the child of its private folder, if it has one. */
  #withFolder(options: MediaSessionOptions): MediaSessionOptions {
    if (this.#folder === undefined) return options;
    const { upload } = options;
    const kvssink = { ...upload.kvssink, folder: this.#folder.path };
    return { ...options, upload: { ...upload, kvssink } };
  }

  setAnswer(sdp: string): void {
    // What the child writes to stderr is redacted here.
    hideIcePasswords(sdp);
    this.#send({ type: 'answer', sdp });
  }

  addCandidate(candidate: string, sdpMLineIndex: number): void {
    this.#send({ type: 'candidate', candidate, sdpMLineIndex });
  }

  putMetadata(tag: FragmentTag, { persistent }: { readonly persistent: boolean }): void {
    this.#send({ type: 'metadata', tag, persistent });
  }

  setCredentials({ accessKeyId, secretAccessKey, sessionToken, expiration }: AwsCredentials): void {
    this.#send({
      type: 'credentials',
      credentials: {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        ...(expiration === undefined ? {} : { expirationMs: expiration.getTime() }),
      },
    });
  }

  stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<MediaSessionEnd> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#send({ type: 'stop', drainTimeoutMs });
      this.#exitDeadline = setTimeout(() => {
        this.#fail(new MediaError(ErrorCode.mediaProcess, 'The media process did not end in time'));
      }, drainTimeoutMs + exitGraceMs);
    }
    return this.#closed.promise;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    // There may be no time left for the child's end to be noticed.
    this.#folder?.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ drainTimeoutMs: 0 });
  }

  /** Everything but `stop` waits for `start`: before it the worker has no session. */
  #send(message: ToWorker): void {
    if (this.#early !== undefined && message.type !== 'stop') {
      this.#early.push(message);
      return;
    }
    if (!this.#child.connected) return;
    // A child that died meanwhile is reported by its exit.
    this.#child.send(message, () => undefined);
  }

  #expectSign(limitMs: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#fail(
        new MediaError(
          ErrorCode.mediaProcess,
          `The media process said nothing for ${String(limitMs)} ms`,
        ),
      );
    }, limitMs);
  }

  #onMessage(message: unknown): void {
    this.#expectSign(silenceLimitMs);
    try {
      this.#handle(parseToHost(message));
    } catch (error) {
      this.#fail(asKvsBridgeError(error, ErrorCode.mediaProcess));
    }
  }

  #handle(message: ToHost): void {
    switch (message.type) {
      case 'ready':
      case 'heartbeat':
        return;
      case 'offer':
        hideIcePasswords(message.sdp);
        this.emit('offer', message.sdp);
        return;
      case 'candidate':
        this.emit('candidate', bodyOf(message));
        return;
      case 'connectionState':
        this.emit('connectionState', bodyOf(message));
        return;
      case 'track':
        this.emit('track', bodyOf(message));
        return;
      case 'epoch': {
        const { videoCodec, audioCodec, ...epoch } = bodyOf(message);
        this.emit('epoch', {
          ...epoch,
          ...(videoCodec === undefined ? {} : { videoCodec }),
          ...(audioCodec === undefined ? {} : { audioCodec }),
        });
        return;
      }
      case 'fragment':
        this.emit('fragment', bodyOf(message));
        return;
      case 'sink':
        this.emit('sink', bodyOf(message));
        return;
      case 'upload':
        this.emit('upload', bodyOf(message));
        return;
      case 'persisted':
        this.emit('persisted', bodyOf(message));
        return;
      case 'lost':
        this.emit('lost', bodyOf(message));
        return;
      case 'spool':
        this.emit('spool', bodyOf(message));
        return;
      case 'gap':
        this.emit('gap', bodyOf(message));
        return;
      case 'keyframeOverdue':
        this.emit('keyframeOverdue', bodyOf(message));
        return;
      case 'credentialsRefused':
        this.emit('credentialsRefused');
        return;
      case 'uploadError':
        this.emit('uploadError', { error: deserializeError(message.error), fatal: message.fatal });
        return;
      case 'totals':
        this.#totals = message.totals;
        this.emit('totals', message.totals);
        return;
      case 'stats':
        this.emit('stats', message.stats);
        return;
      case 'gstLog':
        this.emit('gstLog', bodyOf(message));
        return;
      case 'warning':
        this.emit('warning', deserializeError(message.error));
        return;
      case 'ending':
        this.emit('ending', {
          mayOverlap: message.mayOverlap,
          ...(message.error === undefined ? {} : { error: deserializeError(message.error) }),
        });
        return;
      case 'closed':
        this.#totals = message.totals;
        this.#end ??= message.error === undefined ? {} : { error: deserializeError(message.error) };
        return;
    }
  }

  #onStderr(line: string): void {
    const safe = redact(line);
    this.emit('stderr', safe);
    this.#stderr.push(safe);
    if (this.#stderr.length > keptStderrLines) this.#stderr.shift();
  }

  /** Records the error and makes sure that the child goes; `close` then ends the session. */
  #fail(error: KvsBridgeError): void {
    this.#end ??= { error };
    clearTimeout(this.#silence);
    // SIGKILL also ends a child that is stopped or hangs in a state change.
    if (!this.#child.kill('SIGKILL') && this.#child.pid === undefined) this.#onExit(null, null);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#exitDeadline);
    // Also when the child was killed: it holds credentials.
    this.#folder?.remove();
    const exitCause =
      signal === null
        ? `exit code ${code === null ? 'unknown' : String(code)}`
        : `signal ${signal}`;
    const end = this.#end ?? { error: this.#unexpectedExit(exitCause) };
    const result: MediaSessionEnd = { totals: this.#totals, exitCause, ...end };
    this.emit('closed', result);
    this.#closed.resolve(result);
  }

  #unexpectedExit(exitCause: string): MediaError {
    const lastWords =
      this.#stderr.length === 0 ? '' : `; it last wrote: ${this.#stderr.join(' | ')}`;
    return new MediaError(
      ErrorCode.mediaProcess,
      `The media process ended by itself with ${exitCause}${lastWords}`,
    );
  }
}
