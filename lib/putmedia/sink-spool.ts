/** Joins a sink's queue and its spool: copies for new fragments, bytes for old ones. */
import { performance } from 'node:perf_hooks';
import type { Fragment } from './fragment.js';
import type { FragmentQueue } from './fragment-queue.js';
import type {
  FragmentSpool,
  LeftoverFragment,
  Leftovers,
  StoredFragment,
} from './fragment-spool.js';
import type { SpoolStatus } from './spool-status.js';

/** What a {@link SinkSpool} tells its sink. */
export interface SinkSpoolHooks {
  /** Something that was waited for happened: there may be more to send. */
  readonly onChange: () => void;
  /** Fragments of an earlier session are in the queue now, before all others. */
  readonly onRecovered: () => void;
  /** An earlier session left a fragment that cannot be stored. */
  readonly onLost: (fragment: LeftoverFragment) => void;
  /** An earlier session left a fragment that KVS has. */
  readonly onStored: (fragment: StoredFragment) => void;
}

/** Longest wait for the disk when the sink is closed, in ms. */
const flushLimitMs = 2_000;

/** The spool of one sink; without one, everything stays in memory and nothing is waited for. */
export class SinkSpool {
  readonly #spool: FragmentSpool | undefined;
  readonly #queue: FragmentQueue;
  readonly #hooks: SinkSpoolHooks;

  constructor(spool: FragmentSpool | undefined, queue: FragmentQueue, hooks: SinkSpoolHooks) {
    this.#spool = spool;
    this.#queue = queue;
    this.#hooks = hooks;
    spool?.on('progress', hooks.onChange);
    spool?.on('mayUpload', hooks.onChange);
    spool?.on('overflow', () => {
      this.#trim();
    });
    spool?.on('leftovers', (leftovers) => {
      this.#takeOver(leftovers);
    });
  }

  /** Whether connections may be opened. */
  get mayUpload(): boolean {
    return this.#spool?.mayUpload ?? true;
  }

  /** Undefined without a spool. */
  status(): SpoolStatus | undefined {
    return this.#spool?.status();
  }

  /** Gives a fragment that begins its copy. */
  begin(fragment: Fragment): void {
    const { epoch, timecodeMs } = fragment;
    fragment.copy = this.#spool?.begin({ epoch: epoch.number, timecodeMs }, epoch.header);
  }

  /** Makes a fragment ready to be sent. */
  prepare(fragment: Fragment): void {
    const { copy } = fragment;
    if (fragment.isPreparing || copy === undefined) return;
    fragment.isPreparing = true;
    const isRead = fragment.isOnDiskOnly ? this.#load(fragment) : Promise.resolve();
    void isRead
      .then(() => copy.markSent())
      .then(() => {
        fragment.isPreparing = false;
        // The disk failed: there is nothing left to send.
        if (fragment.chunks.length === 0) this.#queue.drop(fragment, 'damaged');
        this.#hooks.onChange();
      });
  }

  /** Waits until what is held is on disk, up to a bound. */
  async flush(): Promise<void> {
    await this.#spool?.flush(flushLimitMs);
  }

  /** What is on disk stays there, and pending; the rest is given up. */
  async close(): Promise<void> {
    await this.flush();
    this.#queue.clear('closed');
    await this.#spool?.close();
  }

  async #load(fragment: Fragment): Promise<void> {
    const loaded = await fragment.copy?.load();
    if (loaded?.isStorable === true) this.#queue.restore(fragment, loaded);
  }

  #takeOver({ epochs, lost, stored }: Leftovers): void {
    for (const fragment of stored) this.#hooks.onStored(fragment);
    for (const fragment of lost) this.#hooks.onLost(fragment);
    for (const epoch of epochs) this.#queue.recover(epoch, performance.now());
    this.#trim();
    if (epochs.length > 0) this.#hooks.onRecovered();
  }

  /** Deletes the oldest copies until the rest fits. */
  #trim(): void {
    const oldest = this.#queue.fragments().values();
    while (this.#spool?.isOverfull === true) {
      const { value: fragment, done } = oldest.next();
      if (done === true) return;
      const { copy, progress, isPreparing } = fragment;
      if (copy?.isComplete === true && progress !== 'sending' && !isPreparing) {
        this.#queue.dropCopy(fragment, 'spoolFull');
      }
    }
  }
}
