/** What the sink asks of a spool: copies on disk, turns in uploading, and what others left behind. */
import type { EventEmitter } from 'node:events';
import type { KvsBridgeError } from '../util/errors.js';
import type { FragmentCopy, RecoveredEpoch } from './fragment.js';
import type { FragmentOwner, FragmentTotals } from './media-sink.js';
import type { SpoolStatus } from './spool-status.js';

/** A fragment of an earlier session. */
export interface LeftoverFragment {
  readonly epoch: number;
  readonly timecodeMs: number;
  readonly totals: FragmentTotals;
  /** Who received it; undefined when nobody noted that. */
  readonly owner: FragmentOwner | undefined;
}

/** One that KVS has stored already; perhaps nobody was told. */
export interface StoredFragment extends LeftoverFragment {
  readonly bytes: number;
  readonly fragmentNumber: string;
}

/** What an earlier session left. */
export interface Leftovers {
  readonly epochs: readonly RecoveredEpoch[];
  /** Those that cannot be stored. */
  readonly lost: readonly LeftoverFragment[];
  readonly stored: readonly StoredFragment[];
  /** Files that are no fragments; they were moved away. */
  readonly damagedFiles: number;
}

/** Events of a {@link FragmentSpool}. */
export interface FragmentSpoolEvents {
  /** From now on this sink, and no other, may upload. */
  mayUpload: [];
  /** An earlier session left these; before `mayUpload`, and later when they turn up later. */
  leftovers: [Leftovers];
  /** More of a fragment is on disk, or none of it any more. */
  progress: [];
  /** It holds more than it may: the oldest have to go. */
  overflow: [];
  state: [SpoolStatus];
  /** It goes on, worse than before. */
  warning: [KvsBridgeError];
}

/** Keeps fragments of one stream on disk. */
export interface FragmentSpool extends EventEmitter<FragmentSpoolEvents> {
  /** It is this sink's turn, or nobody can take turns here. */
  readonly mayUpload: boolean;
  /** It holds more than it may. */
  readonly isOverfull: boolean;
  status(): SpoolStatus;
  /** A fragment begins. @returns undefined when it is to stay in memory */
  begin(
    fragment: { readonly epoch: number; readonly timecodeMs: number },
    header: Uint8Array,
  ): FragmentCopy | undefined;
  /** Waits until what was written is on disk, up to a bound. */
  flush(timeoutMs: number): Promise<void>;
  /** Lets go of everything; what is on disk stays there, for the next one to take over. */
  close(): Promise<void>;
}
