/** What a media session measures besides its totals. Plain data, fit for IPC. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
/** The type of an ICE candidate (RFC 8839); `relay` is a TURN server. */
export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

const candidateType = v.picklist(['host', 'srflx', 'prflx', 'relay']);

/**
 * The pair of ICE candidates that media flows between (RFC 8839). A `relay` on either side is a TURN
 * server, whose minutes cost money.
 */
export interface MediaPath {
  readonly local: CandidateType;
  readonly remote: CandidateType;
  readonly protocol: 'udp' | 'tcp';
}

const mediaPath: v.GenericSchema<unknown, MediaPath> = v.strictObject({
  local: candidateType,
  remote: candidateType,
  protocol: v.picklist(['udp', 'tcp']),
});

/** Counts of one track's RTP packets, and of what was said about them by RTCP. */
export interface RtpStats {
  readonly packetsReceived: number;
  /** Payload. */
  readonly bytesReceived: number;
  /** Lost on the way (RFC 3550), those that were sent again included. */
  readonly packetsLost: number;
  /**
   * Generic NACKs (RFC 4585): requests to send packets again. They are negotiated for video only; what
   * is counted of sound got no answer.
   */
  readonly nacksSent: number;
  /** Picture Loss Indications (RFC 4585): requests for a keyframe. */
  readonly plisSent: number;
  /** Full Intra Requests (RFC 5104): requests for a keyframe, where PLI was not answered. */
  readonly firsSent: number;
  /** Interarrival jitter (RFC 3550), in ms. */
  readonly jitterMs: number;
}

const rtpStats: v.GenericSchema<unknown, RtpStats> = v.strictObject({
  packetsReceived: count,
  bytesReceived: count,
  packetsLost: count,
  nacksSent: count,
  plisSent: count,
  firsSent: count,
  jitterMs: amount,
});

/** Acknowledgements of fragments, by type. */
export interface AckCounts {
  readonly buffering: number;
  readonly received: number;
  /** Those included that ListFragments told of. */
  readonly persisted: number;
  /** ERROR acknowledgements by ErrorId, such as `4004`. */
  readonly errors: Readonly<Record<string, number>>;
}

const ackCounts: v.GenericSchema<unknown, AckCounts> = v.strictObject({
  buffering: count,
  received: count,
  persisted: count,
  errors: v.record(v.pipe(v.string(), v.regex(/^\d{1,6}$/)), count),
});

/** What a process used since it began, and what it holds. */
export interface ProcessUsage {
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  readonly residentBytes: number;
  /** The longest that the event loop kept a timer waiting since the last report, in ms. */
  readonly eventLoopLagMs: number;
}

const processUsage: v.GenericSchema<unknown, ProcessUsage> = v.strictObject({
  cpuUserMs: amount,
  cpuSystemMs: amount,
  residentBytes: count,
  eventLoopLagMs: amount,
});

/** The shape of {@link SessionStats}, for messages. */
export const sessionStatsSchema = v.strictObject({
  path: v.exactOptional(mediaPath),
  /** To the master and back by STUN, in ms; absent where it cannot be measured. */
  roundTripMs: v.exactOptional(amount),
  /** How far the newest sound received is ahead of the newest picture, in ms; absent without both. */
  audioLeadMs: v.exactOptional(v.pipe(v.number(), v.finite())),
  video: rtpStats,
  audio: rtpStats,
  acks: ackCounts,
  /** Absent where the session runs in the Bridge's process. */
  process: v.exactOptional(processUsage),
});

/** Counts since a session began, and its newest measurements. */
export type SessionStats = Readonly<v.InferOutput<typeof sessionStatsSchema>>;

/** Counts of a track that does not come. */
const noRtpStats: RtpStats = {
  packetsReceived: 0,
  bytesReceived: 0,
  packetsLost: 0,
  nacksSent: 0,
  plisSent: 0,
  firsSent: 0,
  jitterMs: 0,
};

/** Counts before the first acknowledgement. */
const noAcks: AckCounts = { buffering: 0, received: 0, persisted: 0, errors: {} };

/** Stats of a session that saw nothing. */
export const noStats: SessionStats = { video: noRtpStats, audio: noRtpStats, acks: noAcks };
