/** The demo's master: `kvs-bridge publish` in a process of its own, so that its CPU is apart. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { ErrorCode, KvsBridgeError, MediaError } from '../../lib/index.js';

/** What the master sends, and where. */
export interface PublisherProcessOptions {
  /** URL of the local KVS. */
  readonly localUrl: string;
  readonly channel: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitrate: number;
  readonly sound: boolean;
  /** Told what goes wrong without ending it. */
  readonly onWarning: (error: KvsBridgeError) => void;
}

const failure = {
  code: v.picklist(Object.values(ErrorCode)),
  message: v.string(),
  fix: v.exactOptional(v.string()),
};

const lineSchema = v.union([
  v.object({ event: v.literal('ready') }),
  v.object({ event: v.picklist(['stopped', 'framesSent']), framesSent: v.number() }),
  v.object({ event: v.picklist(['warning', 'error']), ...failure }),
]);

/** How long it may take to end once asked to, in ms. */
const exitLimitMs = 5_000;

/** A running `kvs-bridge publish`. */
export class PublisherProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #options: PublisherProcessOptions;
  readonly #exited: Promise<unknown>;
  #framesSent = 0;
  #failure: KvsBridgeError | undefined;
  #onReady: () => void = () => undefined;

  private constructor(options: PublisherProcessOptions) {
    this.#options = options;
    const { localUrl, channel, width, height, fps, bitrate, sound } = options;
    const args = ['publish', '--json', '--log-level', 'silent', '--create-channel'];
    args.push('--local', localUrl, '--channel', channel);
    args.push('--width', String(width), '--height', String(height));
    args.push('--fps', String(fps), '--bitrate', String(bitrate));
    if (!sound) args.push('--no-sound');
    this.#child = fork(fileURLToPath(new URL('../kvs-bridge.js', import.meta.url)), args, {
      // The channel ends it when we end. Its own process group: a terminal's Ctrl-C is for us, who
      // stop it when its time has come.
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
      detached: true,
      env: ownEnvironment(),
    });
    this.#exited = once(this.#child, 'close');
    const { stdout } = this.#child;
    if (stdout !== null)
      createInterface(stdout).on('line', (line) => {
        this.#onLine(line);
      });
  }

  /**
   * Starts it; resolves when viewers can offer.
   *
   * @throws {@link KvsBridgeError} the error that it ended with
   */
  static async start(options: PublisherProcessOptions): Promise<PublisherProcess> {
    const publisher = new PublisherProcess(options);
    const ready = new Promise<void>((resolve) => {
      publisher.#onReady = resolve;
    });
    await Promise.race([ready, publisher.failed()]);
    return publisher;
  }

  /** Video frames sent as of its latest word, which comes about once a second. */
  get framesSent(): number {
    return this.#framesSent;
  }

  /** Rejects when it ends by itself; else it never settles. */
  async failed(): Promise<never> {
    await this.#exited;
    throw (
      this.#failure ??
      new MediaError(
        ErrorCode.mediaProcess,
        `The test master ended by itself (${this.#child.signalCode ?? `exit code ${String(this.#child.exitCode)}`})`,
      )
    );
  }

  /** Ends it and resolves with the number of video frames that it sent. Any number of times. */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), exitLimitMs);
    await this.#exited;
    clearTimeout(kill);
    return this.#framesSent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #onLine(line: string): void {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), lineSchema), line);
    // It tells of more than is needed here.
    if (!parsed.success) return;
    const { output } = parsed;
    switch (output.event) {
      case 'ready':
        this.#onReady();
        return;
      case 'stopped':
      case 'framesSent':
        this.#framesSent = output.framesSent;
        return;
      case 'warning':
      case 'error': {
        const { code, message, fix } = output;
        const error = new KvsBridgeError(code, message, fix === undefined ? {} : { fix });
        if (output.event === 'error') this.#failure = error;
        else this.#options.onWarning(error);
        return;
      }
    }
  }
}

/** Ours without what configures kvs-bridge: that was meant for us. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('KVS_BRIDGE_')),
  );
}
