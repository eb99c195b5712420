/**
 * What a media session is, wherever it runs: in a child process (`isolation: 'process'`) or in this
 * one (`isolation: 'none'`). Everything here is plain data, fit for IPC.
 */
import type { EventEmitter } from 'node:events';
import type { AwsCredentials } from '../aws/credentials.js';
import type { SinkChoice, SinkMode } from '../kvssink/choose-sink.js';
import type { SpoolStatus } from '../putmedia/spool-status.js';
import type { FragmentOwner } from '../putmedia/media-sink.js';
import type { LedgerPage } from '../ledger/orphan-ledger.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { AudioMode, VideoCodecName } from './codecs.js';
import type { GstLogBatch } from './gst-log.js';
import type { NativeIceServer } from './native.js';
import type { SessionStats } from './session-stats.js';

export type { SpoolStatus } from '../putmedia/spool-status.js';

/** Where and how a session's media is uploaded. */
export interface UploadOptions {
  /** PutMedia endpoint of the stream, from GetDataEndpoint. */
  readonly dataEndpoint: string;
  /**
   * ListFragments endpoint of the stream, from GetDataEndpoint: asked after a broken connection, so
   * that nothing is stored twice. Without it, what was not acknowledged is sent again.
   */
  readonly archiveEndpoint?: string;
  readonly streamName: string;
  readonly region: string;
  /** PEM of the authority to trust at the endpoint. */
  readonly ca?: string;
  /** False when the stream's retention is 0: it never says PERSISTED. */
  readonly expectPersisted: boolean;
  /** Bound of media that waits in memory to be persisted, in bytes. */
  readonly bufferBytes: number;
  /** Age at which a PutMedia request is replaced, in ms; kvssink has its own. @defaultValue 2400000 */
  readonly maxAgeMs?: number;
  /** Keeps on disk what is not stored yet; without it, that is lost with the media process. */
  readonly spool?: SpoolPlace;
  readonly sink: SinkMode;
  readonly kvssink: KvsSinkUpload;
}

/** Where media waits on disk to be stored. */
export interface SpoolPlace {
  /** A folder of this stream and no other. */
  readonly folder: string;
  /** Most that may wait there, in bytes. */
  readonly maxBytes: number;
}

/** What matters to kvssink only. */
export interface KvsSinkUpload {
  /** Hours that the stream keeps its fragments. */
  readonly retentionHours: number;
  /** Without a PERSISTED for this long the element is given up, in ms. */
  readonly persistTimeoutMs: number;
  /** How long the session waits for the last PERSISTED, in ms. */
  readonly drainTimeoutMs: number;
  /** Name for a private folder, which a session with a process adds; without it, no kvssink. */
  readonly folder?: string;
}

/** A name and value that KVS keeps with a fragment. */
export interface FragmentTag {
  /** 1 to 128 bytes, not beginning with AWS. */
  readonly name: string;
  /** 1 to 256 bytes. */
  readonly value: string;
}

/** Everything that one media session needs, but its credentials. */
export interface MediaSessionOptions {
  readonly iceServers: readonly NativeIceServer[];
  readonly jitterBufferMs: number;
  readonly relayOnly: boolean;
  readonly videoCodecs: readonly VideoCodecName[];
  readonly audio: AudioMode;
  readonly targetFragmentMs: number;
  /** How long the connection may take to come about after the answer, in ms. @defaultValue 10000 */
  readonly connectMs?: number;
  /**
   * How long a connected master that answered with media may send no packet of it, in ms; 0: for
   * ever. @defaultValue 5000
   */
  readonly firstMediaMs?: number;
  /**
   * How long the video of a connected master may pause after it flowed steadily, in ms; 0: for
   * ever. @defaultValue 4000
   */
  readonly silentVideoMs?: number;
  /**
   * Resident memory above which a media process gives way to the next, in bytes; 0: any. Without
   * effect on a session that runs in this process. @defaultValue 0
   */
  readonly memoryLimitBytes?: number;
  /**
   * Where the stream's media ended before this session, Unix epoch ms: the first fragment has its
   * distance from there in the tag `kvsb-gap-ms`.
   */
  readonly resumesAfterMs?: number;
  /** Where a media process writes what became of its media once its Bridge is gone. */
  readonly ledger?: LedgerPage;
  /** What GStreamer is to log, as GST_DEBUG has it: `gstLog` events. @defaultValue nothing */
  readonly gstDebug?: string;
  /** Metadata of every fragment. */
  readonly tags: readonly FragmentTag[];
  readonly upload: UploadOptions;
}

/** Counts since the session began. */
export interface MediaTotals {
  /** Video frames that arrived from the master. */
  readonly videoFramesReceived: number;
  /** Audio frames that arrived, after transcoding. */
  readonly audioFramesReceived: number;
  readonly videoBytesReceived: number;
  /** Video frames in fragments that KVS confirmed as PERSISTED. */
  readonly videoFramesStored: number;
  readonly audioFramesStored: number;
  readonly fragmentsPersisted: number;
  readonly bytesPersisted: number;
  /** Video frames that arrived and are lost for good. */
  readonly videoFramesLost: number;
  /** Video frames whose fragment was not confirmed before the session ended. */
  readonly videoFramesPending: number;
  /** Of those, the ones on disk: a later session stores them. */
  readonly videoFramesSpooled: number;
  /** Fragments that earlier sessions left, and that this one stored; in no other count. */
  readonly fragmentsRecovered: number;
  readonly videoFramesRecovered: number;
  readonly keyframeRequests: number;
  /** Producer timestamp of the newest video frame received, Unix epoch ms; 0 before the first. */
  readonly newestReceivedMs: number;
  /** End of the newest persisted fragment, Unix epoch ms; 0 before the first. */
  readonly newestPersistedMs: number;
}

/** Totals of a session that saw nothing. */
export const noTotals: MediaTotals = {
  videoFramesReceived: 0,
  audioFramesReceived: 0,
  videoBytesReceived: 0,
  videoFramesStored: 0,
  audioFramesStored: 0,
  fragmentsPersisted: 0,
  bytesPersisted: 0,
  videoFramesLost: 0,
  videoFramesPending: 0,
  videoFramesSpooled: 0,
  fragmentsRecovered: 0,
  videoFramesRecovered: 0,
  keyframeRequests: 0,
  newestReceivedMs: 0,
  newestPersistedMs: 0,
};

/** A track of the master that began to arrive. */
export interface MediaTrack {
  readonly kind: 'video' | 'audio';
  /** As the master sends it, such as `H264`. */
  readonly codec: string;
  /** As it is stored: the same when it passes untouched. */
  readonly storedAs: string;
  /** Decoded and encoded again. For video this costs a good part of a core. */
  readonly transcoded: boolean;
}

/** A stretch of constant codec configuration. */
export interface MediaEpoch {
  readonly epoch: number;
  /** Producer timestamp of its first frame, Unix epoch ms. */
  readonly timecodeMs: number;
  /** RFC 6381, such as `avc1.42c01f`; absent when no video track is declared. */
  readonly videoCodec?: string;
  /** In pixels; 0 when no video track is declared. */
  readonly width: number;
  readonly height: number;
  /** RFC 6381 (`mp4a.40.2`), `alaw` or `ulaw`; absent when no audio track is declared. */
  readonly audioCodec?: string;
}

/** A hole in what is stored. */
export interface MediaGap {
  /** Where stored media ends, Unix epoch ms. */
  readonly fromMs: number;
  /** Where it goes on, Unix epoch ms. */
  readonly toMs: number;
  /** Why, such as `loss`, `source-silent` or `keyframe-wait`. */
  readonly reason: string;
  /** Frames that arrived and could not be stored; 0 where nothing arrived. */
  readonly videoFramesDropped: number;
}

/** Received video frames that cannot be stored. */
export interface MediaLoss {
  readonly videoFrames: number;
  readonly reason: string;
  /** Where their fragment begins, Unix epoch ms; absent when they were in none. */
  readonly fromMs?: number;
  /** Where it ends. */
  readonly toMs?: number;
  /** A session before received them; absent on what this one received. */
  readonly recovered?: true;
  /** That session, as far as it is known. */
  readonly owner?: FragmentOwner;
}

/** A fragment that KVS keeps. */
export interface StoredFragment {
  readonly epoch: number;
  /** KVS's own number: up to 128 digits, so a string. */
  readonly fragmentNumber: string;
  /** Producer timestamp of its first frame, Unix epoch ms. */
  readonly timecodeMs: number;
  readonly durationMs: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
  readonly bytes: number;
  /** From the fragment's end at the bridge to its PERSISTED, in ms. */
  readonly persistLatencyMs: number;
  /** It was left over from a session before; absent on what this session received. */
  readonly recovered?: true;
  /** That session, as far as it is known. */
  readonly owner?: FragmentOwner;
}

/** Events of a {@link MediaSession}. */
export interface MediaSessionEvents {
  /** The offer to send to the master. */
  offer: [sdp: string];
  /** A local candidate to send to the master. */
  candidate: [candidate: { readonly candidate: string; readonly sdpMLineIndex: number }];
  /** W3C names of the peer connection's and ICE's states. */
  connectionState: [state: { readonly connection: string; readonly ice: string }];
  track: [track: MediaTrack];
  /** A stretch of constant codec configuration begins. */
  epoch: [epoch: MediaEpoch];
  /** What will store the media, and why that. Once, before the first epoch. */
  sink: [choice: SinkChoice];
  /** A fragment begins. */
  fragment: [fragment: { readonly epoch: number; readonly timecodeMs: number }];
  /** A PutMedia connection changed state. */
  upload: [connection: { readonly state: 'opening' | 'open' | 'closed'; readonly epoch: number }];
  /** KVS confirmed a fragment as PERSISTED. */
  persisted: [fragment: StoredFragment];
  /** Received video frames that cannot be stored. */
  lost: [loss: MediaLoss];
  /** What waits on disk changed; at most once a second, but for `state`. */
  spool: [status: SpoolStatus];
  /** Stored media has a hole. */
  gap: [gap: MediaGap];
  /** Frames arrive, but no request for a keyframe is answered; repeated with growing waits. */
  keyframeOverdue: [overdue: { readonly waitedMs: number }];
  /** AWS does not accept the credentials: {@link MediaSession.setCredentials} is waited for. */
  credentialsRefused: [];
  /** Uploading failed; it is tried again. `fatal`: only somebody's action is likely to help. */
  uploadError: [failure: { readonly error: KvsBridgeError; readonly fatal: boolean }];
  /** Totals so far, about once a second. */
  totals: [totals: MediaTotals];
  /** What it measured, about once a second and once more at the end. */
  stats: [stats: SessionStats];
  /** GStreamer logged, up to four times a second. */
  gstLog: [batch: GstLogBatch];
  /** A line that the media process wrote to its stderr. */
  stderr: [line: string];
  /** Something went wrong and the session goes on. */
  warning: [error: KvsBridgeError];
  /** The session begins to end: it drains, `closed` follows. At most once. */
  ending: [ending: MediaSessionEnding];
  /** The session is over. Exactly once, the last event. */
  closed: [end: MediaSessionEnd];
}

/** That a session ends, and why. */
export interface MediaSessionEnding {
  /** Why; absent when the master ended it in order. */
  readonly error?: KvsBridgeError;
  /** The next session may store media while this one still does: their uploads take turns. */
  readonly mayOverlap: boolean;
}

/** How a session ended. */
export interface MediaSessionEnd {
  readonly totals: MediaTotals;
  /** Why, when nobody asked it to. */
  readonly error?: KvsBridgeError;
  /** How the media process ended, such as `signal SIGKILL`; absent with `isolation: 'none'`. */
  readonly exitCause?: string;
}

/** One peer connection and its recording. Every method may be called in any state. */
export interface MediaSession extends EventEmitter<MediaSessionEvents>, AsyncDisposable {
  /** Id of the media process; undefined when the session runs in this process. */
  readonly pid: number | undefined;
  /** Begins: `offer` and `candidate` events follow. Repeats have no effect. */
  start(options: MediaSessionOptions): void;
  setAnswer(sdp: string): void;
  addCandidate(candidate: string, sdpMLineIndex: number): void;
  /**
   * Keeps a tag with the next fragment; `persistent`: with every one from the next on, until it is
   * put again with an empty value. One too many for its fragment is refused by a `warning`.
   */
  putMetadata(tag: FragmentTag, options: { readonly persistent: boolean }): void;
  /** Hands in fresh credentials for PutMedia. */
  setCredentials(credentials: AwsCredentials): void;
  /**
   * Drains: the last frame received is sent and its PERSISTED awaited, within `drainTimeoutMs`.
   * Repeats share one promise, which resolves with the `closed` event and never rejects.
   */
  stop(options: { readonly drainTimeoutMs: number }): Promise<MediaSessionEnd>;
  /** Ends it where it is: what is not in the spool is lost. For when the whole program has to go. */
  kill(): void;
}
