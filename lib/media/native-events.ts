/** What native sessions tell, typed by hand; native/binding/event_conversion.cc is the other half. */
import type { ElementAck, ElementState } from '../kvssink/kvs-sink.js';
import type { NativeErrorKind } from './native-error.js';
import type { MediaPath, RtpStats } from './session-stats.js';

/** What a native session tells. All counts are since the session began. */
export type NativeEvent =
  | {
      /** A local SDP to send to the peer. */
      readonly type: 'localDescription';
      readonly sdpType: 'offer' | 'answer';
      readonly sdp: string;
    }
  | {
      /** A local ICE candidate to send to the peer. */
      readonly type: 'localCandidate';
      readonly sdpMLineIndex: number;
      readonly candidate: string;
    }
  | {
      /** W3C names of the peer connection's and ICE's states. */
      readonly type: 'connectionState';
      readonly connection: string;
      readonly ice: string;
    }
  | {
      /** A track of the peer began to arrive. */
      readonly type: 'track';
      readonly kind: 'video' | 'audio';
      /** RTP encoding name, such as `H264`. */
      readonly codec: string;
      /** What becomes of it, such as `H264` or `AAC`. */
      readonly storedAs: string;
      /** Decoded and encoded again. */
      readonly transcoded: boolean;
    }
  | {
      /** A stretch of constant codec configuration begins. */
      readonly type: 'epoch';
      readonly epoch: number;
      readonly timecodeMs: number;
      /** RFC 6381, such as `avc1.42c01f`; empty without a video track, and then 0 x 0. */
      readonly videoCodec: string;
      readonly width: number;
      readonly height: number;
      /** RFC 6381 (`mp4a.40.2`), `alaw` or `ulaw`; empty without an audio track. */
      readonly audioCodec: string;
      /** What stores it. */
      readonly sink: 'kvssink' | 'putmedia';
      /** Matroska header of the epoch; empty for kvssink. */
      readonly header: Buffer;
    }
  | { readonly type: 'fragmentStart'; readonly epoch: number; readonly timecodeMs: number }
  | { readonly type: 'mediaData'; readonly data: Buffer }
  | {
      readonly type: 'fragmentEnd';
      readonly epoch: number;
      readonly timecodeMs: number;
      readonly durationMs: number;
      readonly videoFrames: number;
      readonly audioFrames: number;
      /** How many of `audioFrames` are filled-in silence. */
      readonly silentAudioFrames: number;
      /** Of its frames; 0 where `mediaData` tells. */
      readonly bytes: number;
    }
  | { readonly type: 'epochEnd'; readonly epoch: number; readonly trailer: Buffer }
  | (ElementAck & {
      /** kvssink passed on an acknowledgement. */
      readonly type: 'sinkAck';
    })
  | (ElementState & {
      /** What became of an epoch's kvssink. */
      readonly type: 'sinkState';
    })
  | {
      /** Received video frames that could not be stored. */
      readonly type: 'framesDropped';
      readonly videoFrames: number;
      readonly reason:
        | 'before-keyframe'
        | 'fragment-too-long'
        | 'fragment-too-short'
        | 'leading-picture'
        | 'queue-full'
        | 'transcoder-too-slow'
        | 'undecodable'
        | 'unsupported-size';
    }
  | {
      /** Stored media has a hole between two times (Unix epoch ms). */
      readonly type: 'gap';
      readonly fromMs: number;
      readonly toMs: number;
      /** See GapEvent in native/media/events.h. */
      readonly reason: string;
      readonly videoFramesDropped: number;
    }
  | {
      /** Frames arrive, but no request for a keyframe is answered. */
      readonly type: 'keyframeOverdue';
      readonly waitedMs: number;
    }
  | {
      /** About once a second, from a receiver: also the sign that the native loop is alive. */
      readonly type: 'stats';
      readonly videoFramesReceived: number;
      readonly audioFramesReceived: number;
      readonly videoBytesReceived: number;
      readonly videoFramesWritten: number;
      readonly videoFramesDropped: number;
      /** Sent. */
      readonly keyframeRequests: number;
      /** Producer timestamps of the newest frames, Unix epoch ms; 0 before the first. */
      readonly newestVideoTimecodeMs: number;
      readonly newestAudioTimecodeMs: number;
      readonly video: RtpStats;
      readonly audio: RtpStats;
      /** Absent before ICE chose. */
      readonly path?: MediaPath;
      /** Of the last seconds; absent where it cannot be measured, through a relay for one. */
      readonly roundTripMs?: number;
    }
  | {
      /** About once a second, from a publisher. */
      readonly type: 'senderStats';
      readonly framesSent: number;
      /** Received. */
      readonly keyframeRequests: number;
    }
  | {
      readonly type: 'error';
      readonly kind: NativeErrorKind;
      /** The session ends; `closed` follows. */
      readonly fatal: boolean;
      readonly message: string;
      readonly element: string;
      readonly debug: string;
    }
  | {
      /** Always the last: the pipeline is gone. */
      readonly type: 'closed';
    };

/** What a receiver tells. */
export type ReceiverEvent = Exclude<NativeEvent, { readonly type: 'senderStats' }>;

/** Gets all events that waited, in order, on the Node thread. */
export type NativeEventsListener<TEvent = NativeEvent> = (events: readonly TEvent[]) => void;
