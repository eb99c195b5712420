/** What a Bridge tells its user. */
import type {
  MediaEpoch,
  MediaGap,
  MediaLoss,
  MediaTotals,
  MediaTrack,
  SpoolStatus,
  StoredFragment,
} from '../media/media-session.js';
import type { GapCause } from '../ledger/gap-causes.js';
import type { SinkChoice } from '../kvssink/choose-sink.js';
import type { SignalingChange } from '../signaling/lasting-connection.js';
import type { MediaPath } from '../media/session-stats.js';
import type { ErrorCode, KvsBridgeError } from '../util/errors.js';
import type { BridgeStats } from './stats.js';

/** The states of a Bridge. Only {@link BridgeState.recording} means that media is being kept. */
export const BridgeState = {
  idle: 'idle',
  /** Looks up channel and stream, connects signaling. */
  starting: 'starting',
  /** Offered; no master answered yet. */
  waiting: 'waiting',
  /** A master answered; no media yet. */
  connecting: 'connecting',
  /** Media arrives; nothing of it has been persisted yet. */
  receiving: 'receiving',
  /** KVS said PERSISTED within the persist timeout. */
  recording: 'recording',
  /** Media should be persisted and is not, or recording waits for a person to act. */
  degraded: 'degraded',
  /** A session or an attempt at one ended by itself; the next is coming. */
  reconnecting: 'reconnecting',
  /** Drains. */
  stopping: 'stopping',
  stopped: 'stopped',
} as const;

/** One of {@link BridgeState}. */
export type BridgeState = (typeof BridgeState)[keyof typeof BridgeState];

/** One change of a Bridge's state. */
export interface StateChange {
  readonly state: BridgeState;
  /** The same when only the reason is another. */
  readonly previous: BridgeState;
  /** When, Unix epoch ms. */
  readonly atMs: number;
  /** Why, in words; absent where the state says it all. */
  readonly reason?: string;
  /** Of the error behind it, if there is one. */
  readonly code?: ErrorCode;
}

/** Steps between `start` and the first persisted fragment, in their usual order. */
export const bridgeSteps = [
  'resources',
  'signaling',
  'offer',
  'answer',
  'connected',
  'media',
  'uploading',
  'persisted',
] as const;

/** One of {@link bridgeSteps}. */
export type BridgeStep = (typeof bridgeSteps)[number];

/** Counts since the Bridge started, over all its sessions. */
export interface BridgeTotals extends MediaTotals {
  /** Sessions that a master answered, the present one included. */
  readonly sessions: number;
}

/** A fragment that KVS keeps. */
export interface PersistedFragment extends StoredFragment {
  /** How far behind live the stored media ends now, in ms. */
  readonly lagMs: number;
}

/** A hole in what is stored, that is certain: what follows it is persisted. */
export interface BridgeGap extends MediaGap {
  /** Why; `reason` has the pipeline's own word where that noticed the hole. */
  readonly cause: GapCause;
}

/** How a Bridge ended. */
export interface BridgeEnd {
  readonly totals: BridgeTotals;
  /**
   * Video frames that the last drain left neither persisted nor in the spool; above 0, media that
   * had been received is missing for good.
   */
  readonly videoFramesUnsaved: number;
  /** Why, when it was not asked to. */
  readonly error?: KvsBridgeError;
}

/** Events of a Bridge. */
export interface KvsBridgeEvents {
  state: [change: StateChange];
  /** A step towards the first persisted fragment was made. */
  step: [step: { readonly step: BridgeStep; readonly elapsedMs: number }];
  /**
   * The signaling connection stands, was replaced or is gone. It matters to the next session only:
   * media goes on without it.
   */
  signaling: [change: SignalingChange];
  /** What stores a session's media, and why that. */
  sink: [choice: SinkChoice];
  track: [track: MediaTrack];
  /** A stretch of constant codec configuration begins. */
  epoch: [epoch: MediaEpoch];
  /** KVS confirmed a fragment as PERSISTED. */
  persisted: [fragment: PersistedFragment];
  /** What waits on disk changed; at most once a second, but for `state`. */
  spool: [status: SpoolStatus];
  /** Received video frames that cannot be stored. */
  lost: [loss: MediaLoss];
  /** Stored media has a hole, and what follows it is persisted. */
  gap: [gap: BridgeGap];
  /** Video arrives, but the master answers no request for a keyframe; repeated, less and less. */
  keyframeOverdue: [overdue: { readonly waitedMs: number }];
  /** Totals so far, about once a second while a session runs. */
  totals: [totals: BridgeTotals];
  /** What was measured so far, about once a second while a session runs. */
  stats: [stats: BridgeStats];
  /** ICE chose, or changed, the way that media takes. */
  path: [path: MediaPath];
  /** Something went wrong; the Bridge goes on. */
  warning: [error: KvsBridgeError];
  /** The Bridge is done. Exactly once, the last event. */
  stopped: [end: BridgeEnd];
}

/** The name of an event of a Bridge. */
export type BridgeEventName = keyof KvsBridgeEvents;

/** Complete by its type: what lacks a name does not compile. */
const namesOfEvents: Readonly<Record<BridgeEventName, true>> = {
  state: true,
  step: true,
  signaling: true,
  sink: true,
  track: true,
  epoch: true,
  persisted: true,
  spool: true,
  lost: true,
  gap: true,
  keyframeOverdue: true,
  totals: true,
  stats: true,
  path: true,
  warning: true,
  stopped: true,
};

/** The names of all events of a Bridge. */
export const bridgeEventNames = Object.keys(namesOfEvents) as readonly BridgeEventName[];

/** An event of a Bridge as one value, as {@link KvsBridge.subscribe} and `events` give it. */
export type BridgeEvent = {
  readonly [Name in BridgeEventName]: {
    readonly name: Name;
    /** When, Unix epoch ms. */
    readonly atMs: number;
    readonly data: KvsBridgeEvents[Name][0];
  };
}[BridgeEventName];

/** In place of events that were left out, because they were read too slowly. */
export interface DroppedEvents {
  readonly name: 'dropped';
  /** When the first of them came, Unix epoch ms. */
  readonly atMs: number;
  readonly data: { readonly events: number };
}
