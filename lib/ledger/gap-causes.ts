/** Why media is missing: the ledger's few words for what the parts of the bridge say. */
import { ErrorCode } from '../util/errors.js';
import { overlapMs } from './interval-set.js';
import type { Interval } from './interval-set.js';

/** Why a stretch of time is not stored. */
export const GapCause = {
  /** No master answered, or its connection ended. */
  sourceAway: 'source-away',
  /** The master was connected and sent nothing. */
  sourceSilent: 'source-silent',
  /** Packets were lost on the way: frames could not be decoded. */
  networkLoss: 'network-loss',
  /** Frames arrived that nothing can be decoded from before the next keyframe. */
  keyframeWait: 'keyframe-wait',
  /** The machine was too slow, or a frame does not fit: the pipeline dropped it. */
  pipeline: 'pipeline',
  /** KVS could not be reached for longer than there was room to wait. */
  sinkOutage: 'sink-outage',
  /** KVS refused the fragment, or never stored it. */
  refused: 'refused',
  /** The media process died or hung. */
  mediaProcess: 'media-process',
  /** A session ended by itself and the next one began. */
  reconnect: 'reconnect',
  /** The bridge was not running. */
  restart: 'restart',
  /** The machine's clock was set: this time never passed, or passed twice. */
  clockStep: 'clock-step',
} as const;

/** One of {@link GapCause}. */
export type GapCause = (typeof GapCause)[keyof typeof GapCause];

/** A cause, and when it was at work. */
export interface CausedInterval extends Interval {
  readonly cause: GapCause;
}

const pipelineReasons: Readonly<Record<string, GapCause>> = {
  loss: GapCause.networkLoss,
  'source-silent': GapCause.sourceSilent,
  'keyframe-wait': GapCause.keyframeWait,
  start: GapCause.keyframeWait,
};

/** The cause of a hole that the pipeline noticed; GapEvent in native/media/events.h has the words. */
export function causeOfHole(reason: string): GapCause {
  return pipelineReasons[reason] ?? GapCause.pipeline;
}

/** Of a sink that had the media and lost it, see `DropReason`. */
const sinkReasons: Readonly<Record<string, GapCause>> = {
  refused: GapCause.refused,
  neverPersisted: GapCause.refused,
};

/** The cause of the loss of a whole fragment. */
export function causeOfLoss(reason: string): GapCause {
  return sinkReasons[reason] ?? GapCause.sinkOutage;
}

const sessionEnds: Partial<Readonly<Record<ErrorCode, GapCause>>> = {
  [ErrorCode.mediaProcess]: GapCause.mediaProcess,
  [ErrorCode.peerLost]: GapCause.sourceAway,
  [ErrorCode.noMedia]: GapCause.sourceSilent,
  [ErrorCode.signaling]: GapCause.sourceAway,
  [ErrorCode.noMaster]: GapCause.sourceAway,
  [ErrorCode.badPeerInput]: GapCause.sourceAway,
  [ErrorCode.noKeyframe]: GapCause.keyframeWait,
  [ErrorCode.credentials]: GapCause.sinkOutage,
  [ErrorCode.accessDenied]: GapCause.sinkOutage,
  [ErrorCode.putMedia]: GapCause.sinkOutage,
};

/** The cause of what follows a session that ended by itself. @param code - of its error */
export function causeOfSessionEnd(code: ErrorCode | undefined): GapCause {
  return (code === undefined ? undefined : sessionEnds[code]) ?? GapCause.reconnect;
}

/** The cause that was at work the longest within a hole; undefined when none was. */
export function longestCause(
  hole: Interval,
  candidates: Iterable<CausedInterval>,
): GapCause | undefined {
  const sums = new Map<GapCause, number>();
  for (const candidate of candidates) {
    const ms = overlapMs(hole, candidate);
    if (ms > 0) sums.set(candidate.cause, (sums.get(candidate.cause) ?? 0) + ms);
  }
  let longest: GapCause | undefined;
  for (const [cause, ms] of sums) {
    if (longest === undefined || ms > (sums.get(longest) ?? 0)) longest = cause;
  }
  return longest;
}
