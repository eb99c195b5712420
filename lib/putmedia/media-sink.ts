/**
 * What every way of storing media in KVS has in common. Two sides:
 *
 * - {@link FragmentWriter} takes Matroska from the muxer. Only a sink that uploads by itself
 *   implements it; kvssink is fed and uploads in native code.
 * - {@link MediaSink} tells what became of the media: acknowledgements, losses, the final drain.
 *   Every sink implements it, from the acknowledgements it gets, wherever they come from.
 */
import type { EventEmitter } from 'node:events';
import type { KvsBridgeError, PutMediaError } from '../util/errors.js';
import type { SpoolStatus } from './spool-status.js';

/** Counts of one complete fragment. */
export interface FragmentTotals {
  /** From the fragment's first frame to the end of its last, in ms. */
  readonly durationMs: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
}

/** The start of an epoch: a stretch of media with constant codec configuration. */
export interface EpochStart {
  /** Number of the epoch, increasing within a session. */
  readonly epoch: number;
  /** EBML header, Segment, Info and Tracks; opens every request that carries this epoch. */
  readonly header: Uint8Array;
}

/** The start of a fragment. */
export interface FragmentStart {
  readonly epoch: number;
  /** Absolute producer time of the first frame: ms since the epoch, increasing. */
  readonly timecodeMs: number;
}

/** The end of an epoch. */
export interface EpochEnd {
  readonly epoch: number;
  /** What closes the epoch on the wire (Tags with AWS_KINESISVIDEO_END_OF_FRAGMENT). */
  readonly trailer: Uint8Array;
}

/**
 * The producer's side. Calls come in the order
 * `beginEpoch (beginFragment write* endFragment)* endEpoch`; none of them blocks or waits.
 */
export interface FragmentWriter {
  beginEpoch(start: EpochStart): void;
  beginFragment(start: FragmentStart): void;
  /**
   * The next whole elements of the current fragment (Cluster header, SimpleBlocks), sent at once.
   * The sink owns `bytes` from here on: the caller must not write to them again.
   */
  write(bytes: Uint8Array): void;
  endFragment(totals: FragmentTotals): void;
  endEpoch(end: EpochEnd): void;
}

/** Names a fragment in an event. */
export interface FragmentRef {
  readonly epoch: number;
  /** Producer time of its first frame, ms since the epoch. */
  readonly timecodeMs: number;
  /** The number KVS gave it, a decimal string beyond 2^53; unknown until acknowledged. */
  readonly fragmentNumber: string | undefined;
}

/** The session that received a fragment, by the names that a ledger gives to runs and sessions. */
export interface FragmentOwner {
  readonly run: string;
  readonly session: number;
}

/** A fragment is stored for good. */
export interface PersistedEvent extends FragmentRef, FragmentTotals {
  /** Size of the fragment in bytes, without headers. */
  readonly bytes: number;
  /** From the end of the fragment at the producer to its PERSISTED acknowledgement, in ms. */
  readonly persistLatencyMs: number;
  /** An earlier session left it; the latency counts from when this one found it. */
  readonly recovered?: true;
  /** That session, as far as it is known. */
  readonly owner?: FragmentOwner;
}

/** What follows from an ERROR acknowledgement. */
export type AckErrorAction = 'resend' | 'skipFragment' | 'slowRetry';

/** KVS reported an error. */
export interface AckErrorEvent {
  readonly errorId: number;
  /** For example `FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS`. */
  readonly errorName: string;
  /** The fragment it was about; undefined when none had been sent. */
  readonly timecodeMs: number | undefined;
  readonly action: AckErrorAction;
}

/** An upload connection changed its state. */
export interface ConnectionEvent {
  readonly state: 'opening' | 'open' | 'closed';
  readonly epoch: number;
  /** Why it closed: as planned, or in the words of what broke it. Only with `closed`. */
  readonly reason?: string;
}

/** Why media was given up. */
export type DropReason =
  /** The buffer was full: the oldest gave way. */
  | 'bufferFull'
  /** The spool was full: the oldest gave way. */
  | 'spoolFull'
  /** Its copy in the spool cannot be read, or its end is missing. */
  | 'damaged'
  /** It ended in the middle, and what there is of it KVS would refuse. */
  | 'incomplete'
  /** KVS refuses this fragment; an `ackError` told why. */
  | 'refused'
  /** Received again and again by KVS, but never persisted. */
  | 'neverPersisted'
  /** The element or connection that had it gave up. */
  | 'elementFailed'
  /** The sink was closed before it was persisted. */
  | 'closed';

/** Fragments were lost. */
export interface DroppedEvent {
  readonly fragments: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
  /** Producer time of the first lost frame and of the end of the last, ms since the epoch. */
  readonly fromTimecodeMs: number;
  readonly toTimecodeMs: number;
  readonly reason: DropReason;
  /** An earlier session left them. */
  readonly recovered?: true;
  /** That session, as far as it is known. */
  readonly owner?: FragmentOwner;
}

/** Uploading failed. The sink keeps trying; `fatal` says whether that is likely to help. */
export interface FailedEvent {
  readonly error: PutMediaError;
  /** True when somebody has to act (permissions, a deleted stream); it is still tried, slowly. */
  readonly fatal: boolean;
  /** When the next attempt follows, in ms; undefined when uploading goes on at once. */
  readonly retryInMs: number | undefined;
}

/** Events of a {@link MediaSink}. */
export interface MediaSinkEvents {
  /** KVS sees the first byte of a fragment. */
  buffering: [FragmentRef];
  /** KVS has the whole fragment. */
  received: [FragmentRef];
  persisted: [PersistedEvent];
  ackError: [AckErrorEvent];
  connection: [ConnectionEvent];
  dropped: [DroppedEvent];
  failed: [FailedEvent];
  /** It stores nothing any more and does not recover: a fresh media process has to go on. */
  stuck: [PutMediaError];
  /** Something went wrong that the sink goes on from. */
  warning: [KvsBridgeError];
  /** The spool took another state. */
  spool: [SpoolStatus];
}

/** Totals of a {@link MediaSink} since it was made, of what was handed to it unless said otherwise. */
export interface MediaSinkStats {
  /** Frames of complete fragments that were handed to the sink. */
  readonly videoFramesIn: number;
  readonly audioFramesIn: number;
  /** Frames of fragments that KVS persisted. */
  readonly videoFramesStored: number;
  readonly audioFramesStored: number;
  readonly fragmentsPersisted: number;
  readonly fragmentsLost: number;
  readonly videoFramesLost: number;
  readonly audioFramesLost: number;
  /** Frames of complete fragments that are held: what came in and is neither stored nor lost. */
  readonly videoFramesPending: number;
  readonly audioFramesPending: number;
  /** Of `videoFramesPending`, those on disk: a later session stores them if this one does not. */
  readonly videoFramesSpooled: number;
  /** Fragments that earlier sessions left, and that were stored now. */
  readonly fragmentsRecovered: number;
  readonly videoFramesRecovered: number;
  /** Fragments held because they are not persisted, those being produced and recovered included. */
  readonly fragmentsPending: number;
  /** Memory they hold, in bytes. */
  readonly bytesPending: number;
  /** Producer time of the newest persisted fragment, ms since the epoch. */
  readonly lastPersistedTimecodeMs: number | undefined;
}

/** What a drain achieved. */
export interface DrainResult {
  /** Totals since the sink was made. */
  readonly persistedFragments: number;
  readonly lostFragments: number;
  /** Fragments not confirmed when the drain ended; 0 when it was complete. */
  readonly pendingFragments: number;
  readonly lastPersistedTimecodeMs: number | undefined;
}

/** Options of {@link MediaSink.drain}. */
export interface DrainOptions {
  /** Longest wait, in ms. */
  readonly timeoutMs: number;
  /** Aborting rejects the drain with the signal's reason; the sink goes on. */
  readonly signal?: AbortSignal;
}

/** The side of a sink that tells what became of the media. */
export interface MediaSink extends EventEmitter<MediaSinkEvents>, AsyncDisposable {
  stats(): MediaSinkStats;
  /**
   * Waits until everything produced is persisted, or the time is up. To be called after the
   * producer ended: an epoch still open is ended where it is.
   */
  drain(options: DrainOptions): Promise<DrainResult>;
  /**
   * Stops at once. What is not persisted is lost and reported, but for what is on disk, which stays
   * pending. Can be called repeatedly.
   */
  close(): Promise<void>;
}
