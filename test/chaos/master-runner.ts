/** Runs masters one after another and keeps account of what they sent. */
import type { TestMasterOptions } from '../../lib/index.js';
import type { MasterCalls, SentStream } from './master-process.js';
import type { Place } from './network.js';
import { Remote } from './remote.js';
import type { Address } from './tcp-relay.js';

/** What a {@link MasterRunner} starts masters with. */
export interface MasterRunnerOptions {
  readonly path?: { readonly listenAt: Address; readonly target: Address };
  readonly master: TestMasterOptions;
}

/** One stream of numbered frames. */
export interface SentNumbers {
  readonly first: number;
  /** Frames as far as the master told: one that was killed sent some more. */
  frames: number;
}

export class MasterRunner implements AsyncDisposable {
  readonly streams: SentNumbers[] = [];
  readonly #place: Place;
  readonly #options: MasterRunnerOptions;
  readonly #framesSent: number[] = [];
  #remote: Remote<MasterCalls> | undefined;

  constructor(place: Place, options: MasterRunnerOptions) {
    this.#place = place;
    this.#options = options;
  }

  /** Frames that all masters together sent, as far as they told. */
  get framesSent(): number {
    return this.#framesSent.reduce((sum, frames) => sum + frames, 0);
  }

  async start(): Promise<void> {
    const remote = new Remote<MasterCalls>(this.#place, 'master-process.js');
    const index = this.#framesSent.push(0) - 1;
    remote.on('told', (name, fields) => {
      if (name === 'framesSent') this.#framesSent[index] = fields as number;
      else this.#onStream(fields as SentStream);
    });
    this.#remote = remote;
    await remote.call('start', this.#options);
  }

  async setSending(video: boolean, audio: boolean): Promise<void> {
    await this.#remote?.call('setSending', { video, audio });
  }

  async changeVideoSsrc(): Promise<void> {
    await this.#remote?.call('changeVideoSsrc', undefined);
  }

  /** It leaves in order. */
  async stop(): Promise<void> {
    await this.#remote?.call('stop', undefined);
    await this.#remote?.kill('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#remote?.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.#remote?.signal(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remote?.[Symbol.asyncDispose]();
  }

  #onStream({ state, firstFrame, framesSent }: SentStream): void {
    // Nobody knows its first number before it begins.
    if (state === 'offered') return;
    const known = this.streams.find(({ first }) => first === firstFrame);
    if (known === undefined) this.streams.push({ first: firstFrame, frames: framesSent });
    else known.frames = Math.max(known.frames, framesSent);
  }
}
