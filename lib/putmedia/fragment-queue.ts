/**
 * What was produced and is not yet known to be stored, in order. Pure bookkeeping: no sockets, no
 * timers. A spool on disk takes its place behind the same methods.
 */
import { StateError } from '../util/errors.js';
import type {
  DropReason,
  EpochEnd,
  EpochStart,
  FragmentStart,
  FragmentTotals,
} from './media-sink.js';

/** How much of a fragment went out on the current connection. */
export type SendProgress = 'sending' | 'sent' | 'unsent';

/** One epoch and those of its fragments that are still held. */
export interface Epoch {
  readonly number: number;
  readonly header: Uint8Array;
  /** Defined once the epoch is complete. */
  trailer: Uint8Array | undefined;
  readonly fragments: Fragment[];
}

/** One fragment. Only {@link FragmentQueue} changes `chunks`, `bytes`, `totals` and `isGone`. */
export class Fragment {
  readonly epoch: Epoch;
  readonly timecodeMs: number;
  /** Position in the order of production, over all epochs. */
  readonly sequence: number;
  /** What to send, in order. Empty once evicted. */
  chunks: Uint8Array[] = [];
  /** Its size so far, in bytes; stays when `chunks` goes. */
  bytes = 0;
  /** Defined once the producer ended it. */
  totals: FragmentTotals | undefined;
  /** When the producer ended it, on the caller's clock. */
  completedAtMs = 0;
  /** No longer to be sent: persisted, or lost. */
  isGone = false;
  /** Its memory was given up while the acknowledgement is awaited; it cannot be sent again. */
  isEvicted = false;
  /** Set by the upload that carries it. */
  progress: SendProgress = 'unsent';
  /** It went out completely, so KVS may have it, whatever became of the acknowledgements. */
  mayBeStored = false;
  /** On how many connections KVS reported it as RECEIVED and then let it be. */
  timesReceived = 0;
  /** As KVS reported it last. */
  fragmentNumber: string | undefined;

  constructor(epoch: Epoch, timecodeMs: number, sequence: number) {
    this.epoch = epoch;
    this.timecodeMs = timecodeMs;
    this.sequence = sequence;
  }
}

/** Called when a complete fragment is lost. */
export type LossListener = (fragment: Fragment, totals: FragmentTotals, reason: DropReason) => void;

/** Options of {@link FragmentQueue}. */
export interface FragmentQueueOptions {
  /** Most memory that fragments may hold, in bytes. */
  readonly maxBytes: number;
  readonly onLost: LossListener;
}

const noFrames: FragmentTotals = { durationMs: 0, videoFrames: 0, audioFrames: 0 };

/**
 * Fragments in the order of production.
 *
 * When memory runs out, the oldest gives way: a fragment that was sent completely only loses its
 * bytes and still waits for its acknowledgement, or for word of the archive; an unsent one is lost. A fragment on its way goes
 * last, for that breaks its connection.
 */
export class FragmentQueue {
  readonly #maxBytes: number;
  readonly #onLost: LossListener;
  #epochs: Epoch[] = [];
  /** The epoch that the producer is in. */
  #openEpoch: Epoch | undefined;
  /** The fragment that the producer is in. */
  #live: Fragment | undefined;
  /** Why the live fragment is already given up. */
  #liveLostBy: DropReason | undefined;
  #sequence = 0;
  #bytes = 0;

  constructor(options: FragmentQueueOptions) {
    this.#maxBytes = options.maxBytes;
    this.#onLost = options.onLost;
  }

  /** Memory held by fragments, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of fragments held, the live one included. */
  get length(): number {
    let length = 0;
    for (const epoch of this.#epochs) length += epoch.fragments.length;
    return length;
  }

  /** Frames of the complete fragments held. */
  pendingFrames(): { readonly videoFramesPending: number; readonly audioFramesPending: number } {
    let videoFramesPending = 0;
    let audioFramesPending = 0;
    for (const { totals } of this.#epochs.flatMap(({ fragments }) => fragments)) {
      videoFramesPending += totals?.videoFrames ?? 0;
      audioFramesPending += totals?.audioFrames ?? 0;
    }
    return { videoFramesPending, audioFramesPending };
  }

  /** @throws {@link StateError} when the previous epoch has not ended */
  beginEpoch({ epoch, header }: EpochStart): void {
    if (this.#openEpoch !== undefined) {
      throw new StateError(
        `Epoch ${String(epoch)} began within epoch ${String(this.#openEpoch.number)}`,
      );
    }
    this.#openEpoch = { number: epoch, header, trailer: undefined, fragments: [] };
    this.#epochs.push(this.#openEpoch);
  }

  /** @throws {@link StateError} when it does not belong to the open epoch, or one is open already */
  beginFragment({ epoch, timecodeMs }: FragmentStart): void {
    if (this.#openEpoch?.number !== epoch || this.#live !== undefined) {
      throw new StateError(`A fragment of epoch ${String(epoch)} began out of order`);
    }
    this.#sequence += 1;
    this.#live = new Fragment(this.#openEpoch, timecodeMs, this.#sequence);
    this.#liveLostBy = undefined;
    this.#openEpoch.fragments.push(this.#live);
  }

  /** @throws {@link StateError} outside a fragment */
  append(bytes: Uint8Array): void {
    const live = this.#requireLive();
    if (live.isGone || bytes.length === 0) return;
    live.chunks.push(bytes);
    live.bytes += bytes.length;
    this.#bytes += bytes.length;
    while (this.#bytes > this.#maxBytes && this.#makeRoom());
  }

  /** @throws {@link StateError} outside a fragment */
  endFragment(totals: FragmentTotals, nowMs: number): void {
    const live = this.#requireLive();
    this.#live = undefined;
    live.totals = totals;
    live.completedAtMs = nowMs;
    if (this.#liveLostBy !== undefined) this.#onLost(live, totals, this.#liveLostBy);
    // Nothing to send, so nothing would ever be acknowledged.
    else if (live.bytes === 0 && !live.isGone) this.#remove(live);
  }

  /** @throws {@link StateError} when another epoch is open, or a fragment is */
  endEpoch({ epoch, trailer }: EpochEnd): void {
    if (this.#openEpoch?.number !== epoch || this.#live !== undefined) {
      throw new StateError(`Epoch ${String(epoch)} ended out of order`);
    }
    this.#openEpoch.trailer = trailer;
    this.#openEpoch = undefined;
  }

  /** Ends what the producer left open. The media counts, though nobody counted its frames. */
  seal(nowMs: number): void {
    if (this.#live !== undefined) this.endFragment(noFrames, nowMs);
    if (this.#openEpoch === undefined) return;
    this.endEpoch({ epoch: this.#openEpoch.number, trailer: new Uint8Array() });
  }

  /** The oldest epoch with something to send; forgets those before it. */
  nextEpoch(): Epoch | undefined {
    this.#epochs = this.#epochs.filter(
      (epoch) => epoch.fragments.length > 0 || epoch.trailer === undefined,
    );
    return this.#epochs.find((epoch) => epoch.fragments.some(isSendable));
  }

  /** The fragment of `epoch` to send after the one with the number `sequence`. */
  nextFragment(epoch: Epoch, sequence: number): Fragment | undefined {
    return epoch.fragments.find((fragment) => fragment.sequence > sequence && isSendable(fragment));
  }

  /** Lets go of a fragment that KVS has. */
  release(fragment: Fragment): void {
    this.#remove(fragment);
  }

  /** Gives a fragment up; a live one is reported as soon as its frames are counted. */
  drop(fragment: Fragment, reason: DropReason): void {
    if (fragment.isGone) return;
    this.#remove(fragment);
    if (fragment.totals !== undefined) this.#onLost(fragment, fragment.totals, reason);
    else this.#liveLostBy = reason;
  }

  /** Prepares an epoch to be sent again, once it is known what of it is stored. */
  rewind(epoch: Epoch): void {
    for (const fragment of epoch.fragments) fragment.progress = 'unsent';
  }

  /** Ends the doubt about an epoch's fragments: those still held count as not stored. */
  settle(epoch: Epoch): void {
    for (const fragment of [...epoch.fragments]) {
      fragment.mayBeStored = false;
      if (fragment.isEvicted) this.drop(fragment, 'bufferFull');
    }
  }

  /** Gives everything up. */
  clear(reason: DropReason): void {
    for (const epoch of this.#epochs) {
      for (const fragment of [...epoch.fragments]) this.drop(fragment, reason);
    }
  }

  /** Frees memory of one fragment; false when there is nothing left to free. */
  #makeRoom(): boolean {
    const held = this.#epochs.flatMap(({ fragments }) =>
      fragments.filter(({ chunks }) => chunks.length > 0),
    );
    const victim =
      held.find((fragment) => fragment !== this.#live && fragment.progress !== 'sending') ??
      held.find((fragment) => fragment.progress !== 'sending') ??
      held[0];
    if (victim === undefined) return false;
    if (victim.progress === 'sent' || victim.mayBeStored) {
      this.#freeBytes(victim);
      victim.isEvicted = true;
    } else {
      this.drop(victim, 'bufferFull');
    }
    return true;
  }

  #remove(fragment: Fragment): void {
    if (fragment.isGone) return;
    fragment.isGone = true;
    const { fragments } = fragment.epoch;
    fragments.splice(fragments.indexOf(fragment), 1);
    this.#freeBytes(fragment);
  }

  #freeBytes(fragment: Fragment): void {
    if (fragment.chunks.length === 0) return;
    this.#bytes -= fragment.bytes;
    fragment.chunks = [];
  }

  #requireLive(): Fragment {
    if (this.#live === undefined) throw new StateError('Media was written outside a fragment');
    return this.#live;
  }
}

function isSendable(fragment: Fragment): boolean {
  return !fragment.isEvicted;
}
