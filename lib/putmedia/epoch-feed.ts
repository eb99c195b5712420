/** The order in which an epoch's bytes go out on one connection. Pure logic. */
import type { Epoch, Fragment } from './fragment.js';
import type { FragmentQueue } from './fragment-queue.js';

/** What an {@link EpochFeed} asks of its owner. */
export interface EpochFeedHooks {
  /** The first bytes of a fragment are taken. */
  readonly onBegin: (fragment: Fragment) => void;
  /** A fragment is next that is not ready; ask again when it is. May come repeatedly. */
  readonly prepare: (fragment: Fragment) => void;
}

/** Walks through an epoch: its header, then the bytes of each fragment that is still held. */
export class EpochFeed {
  readonly #epoch: Epoch;
  readonly #queue: FragmentQueue;
  readonly #hooks: EpochFeedHooks;
  #isHeaderTaken = false;
  #hasBegun = false;
  #current: Fragment | undefined;
  #nextChunk = 0;
  #lastSequence = 0;

  constructor(epoch: Epoch, queue: FragmentQueue, hooks: EpochFeedHooks) {
    this.#epoch = epoch;
    this.#queue = queue;
    this.#hooks = hooks;
  }

  /** True once bytes of a fragment were taken. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** True when the last fragment begun was taken completely, so that the request may end here. */
  get isAtBoundary(): boolean {
    return this.#current?.progress !== 'sending';
  }

  /** True when everything that was produced so far has been taken. */
  get isExhausted(): boolean {
    return this.isAtBoundary && this.#upcoming() === undefined;
  }

  /** True when the fragment being sent was given up: the connection cannot go on. */
  get isBroken(): boolean {
    return this.#current?.progress === 'sending' && this.#current.isGone;
  }

  /** Takes note of fragments that were completed or given up meanwhile. */
  settle(): void {
    const current = this.#current;
    if (current === undefined) return;
    if (current.progress === 'unsent') {
      if (current.isGone) this.#current = undefined;
    } else if (current.totals !== undefined && this.#nextChunk >= current.chunks.length) {
      if (current.isGone) return;
      current.progress = 'sent';
      current.mayBeStored = true;
      this.#current = undefined;
    }
  }

  /** Takes the next bytes to send, if there are any yet. */
  next(): Uint8Array | undefined {
    this.settle();
    if (this.isBroken) return undefined;
    const current = (this.#current ??= this.#advance());
    if (current === undefined) return undefined;
    // Nothing can be made ready yet: there is no file, and nothing in memory that it stands for.
    if (current.hasOnlyBegun) return undefined;
    if (this.#nextChunk === 0 && !current.isReady) {
      this.#hooks.prepare(current);
      return undefined;
    }
    const chunk = current.chunks[this.#nextChunk];
    if (chunk === undefined || this.#nextChunk >= current.sendableChunks) return undefined;
    // Not before media follows: a request with nothing but a header is an error.
    if (!this.#isHeaderTaken) {
      this.#isHeaderTaken = true;
      return this.#epoch.header;
    }
    if (this.#nextChunk === 0) {
      current.progress = 'sending';
      this.#hasBegun = true;
      this.#hooks.onBegin(current);
    }
    this.#nextChunk += 1;
    this.settle();
    return chunk;
  }

  #advance(): Fragment | undefined {
    const fragment = this.#upcoming();
    if (fragment === undefined) return undefined;
    this.#lastSequence = fragment.sequence;
    this.#nextChunk = 0;
    return fragment;
  }

  #upcoming(): Fragment | undefined {
    if (this.#current !== undefined && !this.#current.isGone) return this.#current;
    return this.#queue.nextFragment(this.#epoch, this.#lastSequence);
  }
}
