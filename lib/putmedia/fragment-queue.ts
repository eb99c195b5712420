/**
 * What was produced and is not yet known to be stored, in order. Pure bookkeeping: no sockets, no
 * timers, no files.
 */
import { StateError } from '../util/errors.js';
import { Fragment } from './fragment.js';
import type { Epoch, LoadedFragment, RecoveredEpoch } from './fragment.js';
import type {
  DropReason,
  EpochEnd,
  EpochStart,
  FragmentStart,
  FragmentTotals,
  MediaSinkStats,
} from './media-sink.js';

/** Called when a complete fragment is lost, or frames of it are. */
export type LossListener = (fragment: Fragment, totals: FragmentTotals, reason: DropReason) => void;

/** Options of {@link FragmentQueue}. */
export interface FragmentQueueOptions {
  /**
   * Most memory that fragments may hold, in bytes. Fragments with a copy on disk may exceed it by the
   * one that is being produced and the one that is being sent.
   */
  readonly maxBytes: number;
  readonly onLost: LossListener;
}

const noFrames: FragmentTotals = { durationMs: 0, videoFrames: 0, audioFrames: 0 };

/**
 * Fragments in the order of production.
 *
 * When memory runs out, copies on disk give up their memory first: those that were sent, then the
 * newest, for the oldest are sent next. Of fragments without a copy the oldest gives way: one that was
 * sent completely only loses its bytes and still waits for its acknowledgement, or for word of the
 * archive; an unsent one is lost. A fragment on its way goes last, for that breaks its connection.
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

  /** All fragments held, those of earlier sessions first. */
  fragments(): readonly Fragment[] {
    return this.#epochs.flatMap(({ fragments }) => fragments);
  }

  /** Frames of the complete fragments held, without those of earlier sessions. */
  pendingFrames(): Pick<
    MediaSinkStats,
    'audioFramesPending' | 'videoFramesPending' | 'videoFramesSpooled'
  > {
    const pending = { videoFramesPending: 0, audioFramesPending: 0, videoFramesSpooled: 0 };
    for (const { totals, epoch, copy } of this.fragments()) {
      if (epoch.isRecovered || totals === undefined) continue;
      pending.videoFramesPending += totals.videoFrames;
      pending.audioFramesPending += totals.audioFrames;
      if (copy?.isComplete === true) pending.videoFramesSpooled += totals.videoFrames;
    }
    return pending;
  }

  /** @throws {@link StateError} when the previous epoch has not ended */
  beginEpoch({ epoch, header }: EpochStart): void {
    if (this.#openEpoch !== undefined) {
      throw new StateError(
        `Epoch ${String(epoch)} began within epoch ${String(this.#openEpoch.number)}`,
      );
    }
    this.#openEpoch = {
      number: epoch,
      header,
      trailer: undefined,
      fragments: [],
      isRecovered: false,
    };
    this.#epochs.push(this.#openEpoch);
  }

  /**
   * @returns the fragment, which may be given a copy at once
   * @throws {@link StateError} when it does not belong to the open epoch, or one is open already
   */
  beginFragment({ epoch, timecodeMs }: FragmentStart): Fragment {
    if (this.#openEpoch?.number !== epoch || this.#live !== undefined) {
      throw new StateError(`A fragment of epoch ${String(epoch)} began out of order`);
    }
    this.#live = this.#add(this.#openEpoch, timecodeMs);
    this.#liveLostBy = undefined;
    return this.#live;
  }

  /** @throws {@link StateError} outside a fragment */
  append(bytes: Uint8Array): void {
    const live = this.#requireLive();
    if (live.isGone || bytes.length === 0) return;
    live.chunks.push(bytes);
    live.bytes += bytes.length;
    live.copy?.append(bytes);
    this.#hold(bytes.length);
  }

  /** @throws {@link StateError} outside a fragment */
  endFragment(totals: FragmentTotals, nowMs: number): void {
    this.#endFragment(totals, nowMs, totals);
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
    if (this.#live !== undefined) this.#endFragment(noFrames, nowMs, undefined);
    if (this.#openEpoch === undefined) return;
    this.endEpoch({ epoch: this.#openEpoch.number, trailer: new Uint8Array() });
  }

  /** Takes in what an earlier session left; it goes before everything of this one. */
  recover({ epoch: number, header, fragments }: RecoveredEpoch, nowMs: number): void {
    const epoch: Epoch = {
      number,
      header,
      trailer: new Uint8Array(),
      fragments: [],
      isRecovered: true,
    };
    for (const { owner, timecodeMs, totals, mayBeStored, copy } of fragments) {
      const fragment = this.#add(epoch, timecodeMs);
      fragment.owner = owner;
      fragment.totals = totals;
      fragment.completedAtMs = nowMs;
      fragment.mayBeStored = mayBeStored;
      fragment.copy = copy;
      fragment.bytes = copy.bytes;
    }
    const firstOwn = this.#epochs.findIndex(({ isRecovered }) => !isRecovered);
    this.#epochs.splice(firstOwn < 0 ? this.#epochs.length : firstOwn, 0, epoch);
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

  /** Gives a fragment that is to be sent its bytes back; what its copy lost meanwhile is lost. */
  restore(fragment: Fragment, { media, totals }: LoadedFragment): void {
    if (fragment.isGone || fragment.chunks.length > 0) return;
    const before = fragment.totals;
    fragment.chunks = [...media];
    fragment.bytes = media.reduce((sum, { length }) => sum + length, 0);
    fragment.totals = totals;
    this.#hold(fragment.bytes);
    if (before === undefined) return;
    const videoFrames = Math.max(0, before.videoFrames - totals.videoFrames);
    const audioFrames = Math.max(0, before.audioFrames - totals.audioFrames);
    if (videoFrames + audioFrames === 0) return;
    this.#onLost(fragment, { durationMs: before.durationMs, videoFrames, audioFrames }, 'damaged');
  }

  /** Lets go of a fragment that KVS has. @param fragmentNumber - set when it is there for good */
  release(fragment: Fragment, fragmentNumber?: string): void {
    this.#remove(fragment, fragmentNumber);
  }

  /** Gives a fragment up; a live one is reported as soon as its frames are counted. */
  drop(fragment: Fragment, reason: DropReason): void {
    if (fragment.isGone) return;
    this.#remove(fragment);
    if (fragment.totals !== undefined) this.#onLost(fragment, fragment.totals, reason);
    else this.#liveLostBy = reason;
  }

  /** Deletes a fragment's copy: without its bytes in memory, it is gone as far as it is not sent. */
  dropCopy(fragment: Fragment, reason: DropReason): void {
    const { copy, chunks } = fragment;
    if (copy === undefined) return;
    if (chunks.length === 0 && !isOutside(fragment)) {
      this.drop(fragment, reason);
      return;
    }
    fragment.isEvicted = chunks.length === 0;
    fragment.copy = undefined;
    copy.remove();
  }

  /** Prepares an epoch to be sent again, once it is known what of it is stored. */
  rewind(epoch: Epoch): void {
    for (const fragment of epoch.fragments) fragment.progress = 'unsent';
  }

  /** Ends the doubt about a fragment that is still held: it counts as not stored. */
  settle(fragment: Fragment): void {
    fragment.mayBeStored = false;
    if (fragment.isEvicted) this.drop(fragment, 'bufferFull');
  }

  /** Gives everything up, but what is on disk: that is left for the next session. */
  clear(reason: DropReason): void {
    for (const fragment of this.fragments()) {
      if (fragment.copy?.isComplete === true) continue;
      this.drop(fragment, reason);
    }
  }

  #add(epoch: Epoch, timecodeMs: number): Fragment {
    this.#sequence += 1;
    const fragment = new Fragment(epoch, timecodeMs, this.#sequence);
    epoch.fragments.push(fragment);
    return fragment;
  }

  #endFragment(totals: FragmentTotals, nowMs: number, counted: FragmentTotals | undefined): void {
    const live = this.#requireLive();
    this.#live = undefined;
    live.totals = totals;
    live.completedAtMs = nowMs;
    if (this.#liveLostBy !== undefined) this.#onLost(live, totals, this.#liveLostBy);
    // Nothing to send, so nothing would ever be acknowledged.
    else if (live.bytes === 0 && !live.isGone) this.#remove(live);
    else live.copy?.end(counted);
  }

  #hold(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#makeRoom());
  }

  /** Frees memory of one fragment; false when there is nothing left to free. */
  #makeRoom(): boolean {
    const held = this.fragments().filter(({ chunks }) => chunks.length > 0);
    const onDisk = held.filter(
      ({ copy, progress, isPreparing }) =>
        copy?.isComplete === true && progress !== 'sending' && !isPreparing,
    );
    const readable = onDisk.find(({ progress }) => progress === 'sent') ?? onDisk.at(-1);
    if (readable !== undefined) {
      this.#freeBytes(readable);
      return true;
    }
    const memoryOnly = held.filter(({ copy }) => copy === undefined);
    const victim =
      memoryOnly.find((fragment) => fragment !== this.#live && fragment.progress !== 'sending') ??
      memoryOnly.find((fragment) => fragment.progress !== 'sending') ??
      memoryOnly[0];
    if (victim === undefined) return false;
    if (isOutside(victim)) {
      this.#freeBytes(victim);
      victim.isEvicted = true;
    } else {
      this.drop(victim, 'bufferFull');
    }
    return true;
  }

  #remove(fragment: Fragment, fragmentNumber?: string): void {
    if (fragment.isGone) return;
    fragment.isGone = true;
    const { fragments } = fragment.epoch;
    fragments.splice(fragments.indexOf(fragment), 1);
    this.#freeBytes(fragment);
    fragment.copy?.remove(fragmentNumber);
    fragment.copy = undefined;
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

/** It may be stored although nothing of it is kept. */
function isOutside({ progress, mayBeStored }: Fragment): boolean {
  return progress === 'sent' || mayBeStored;
}
