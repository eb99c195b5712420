/** A fragment that is held until it is stored, its epoch, and its copy on disk. */
import type { FragmentOwner, FragmentTotals } from './media-sink.js';

/** How much of a fragment went out on the current connection. */
export type SendProgress = 'sending' | 'sent' | 'unsent';

/** A fragment's copy on disk. What its methods start happens in order, off this thread. */
export interface FragmentCopy {
  /** On disk, in bytes. */
  readonly bytes: number;
  /** How many of its chunks are on disk: those may be sent. */
  readonly writtenChunks: number;
  /** All of it is on disk and can be read back. */
  readonly isComplete: boolean;
  /** The disk failed: the file is of no use any more. */
  readonly isFailed: boolean;
  /** {@link markSent} was done, or cannot be waited for. */
  readonly isMarkedSent: boolean;
  append(bytes: Uint8Array): void;
  /** @param totals - undefined when nobody counted them */
  end(totals: FragmentTotals | undefined): void;
  /** Notes that KVS may have it from now on. */
  markSent(): Promise<void>;
  /** @returns undefined when it cannot be read, or is damaged from its beginning */
  load(): Promise<LoadedFragment | undefined>;
  /** @param fragmentNumber - KVS has it, by this number */
  remove(fragmentNumber?: string): void;
}

/** What was read back. */
export interface LoadedFragment {
  readonly media: readonly Uint8Array[];
  /** Of what is there: less than there was when the end is damaged. */
  readonly totals: FragmentTotals;
  /** KVS would refuse what is there. */
  readonly isStorable: boolean;
}

/** An epoch that an earlier session left, with fragments that are all on disk. */
export interface RecoveredEpoch {
  readonly epoch: number;
  readonly header: Uint8Array;
  readonly fragments: readonly {
    readonly owner: FragmentOwner | undefined;
    readonly timecodeMs: number;
    readonly totals: FragmentTotals;
    readonly mayBeStored: boolean;
    readonly copy: FragmentCopy;
  }[];
}

/** One epoch and those of its fragments that are still held. */
export interface Epoch {
  readonly number: number;
  readonly header: Uint8Array;
  /** Defined once the epoch is complete. */
  trailer: Uint8Array | undefined;
  readonly fragments: Fragment[];
  /** An earlier session left it. */
  readonly isRecovered: boolean;
}

/** One fragment. Only the queue changes `chunks`, `bytes`, `totals`, `isGone` and `isEvicted`. */
export class Fragment {
  readonly epoch: Epoch;
  readonly timecodeMs: number;
  /** Increases within the epoch. */
  readonly sequence: number;
  /** Who received it, as far as that was noted; undefined for those of this session. */
  owner: FragmentOwner | undefined;
  /** What to send, in order. Empty once evicted. */
  chunks: Uint8Array[] = [];
  /** Its size so far, in bytes; stays when `chunks` goes. */
  bytes = 0;
  /** Defined once the producer ended it. */
  totals: FragmentTotals | undefined;
  /** When the producer ended it, or when it was recovered, on the caller's clock. */
  completedAtMs = 0;
  /** No longer to be sent: persisted, or lost. */
  isGone = false;
  /** Its memory was given up while the acknowledgement is awaited, and it has no copy. */
  isEvicted = false;
  /** Its copy is being read or marked; {@link isReady} follows. */
  isPreparing = false;
  /** Set by the upload that carries it. */
  progress: SendProgress = 'unsent';
  /** It went out completely, so KVS may have it, whatever became of the acknowledgements. */
  mayBeStored = false;
  /** On how many connections KVS reported it as RECEIVED and then let it be. */
  timesReceived = 0;
  /** As KVS reported it last. */
  fragmentNumber: string | undefined;
  #copy: FragmentCopy | undefined;

  constructor(epoch: Epoch, timecodeMs: number, sequence: number) {
    this.epoch = epoch;
    this.timecodeMs = timecodeMs;
    this.sequence = sequence;
  }

  /** On disk; undefined without a spool, and when the disk failed. */
  get copy(): FragmentCopy | undefined {
    return this.#copy?.isFailed === true ? undefined : this.#copy;
  }

  set copy(copy: FragmentCopy | undefined) {
    this.#copy = copy;
  }

  /** Its bytes are on disk alone. */
  get isOnDiskOnly(): boolean {
    return this.chunks.length === 0 && this.copy?.isComplete === true;
  }

  /** The producer began it, and has given no bytes of it yet. */
  get hasOnlyBegun(): boolean {
    return this.chunks.length === 0 && this.totals === undefined;
  }

  /** Nothing has to be done before its first byte may go out. */
  get isReady(): boolean {
    return !this.isPreparing && !this.isOnDiskOnly && (this.copy?.isMarkedSent ?? true);
  }

  /** How many of its chunks may go out. */
  get sendableChunks(): number {
    return Math.min(this.chunks.length, this.copy?.writtenChunks ?? Infinity);
  }
}
