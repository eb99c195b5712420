/** What a media session measures besides its totals. Plain data, fit for IPC. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const candidateType = v.picklist(['host', 'srflx', 'prflx', 'relay']);

const mediaPath = v.strictObject({
  local: candidateType,
  remote: candidateType,
  protocol: v.picklist(['udp', 'tcp']),
});

/**
 * The pair of ICE candidates that media flows between (RFC 8839). A `relay` on either side is a TURN
 * server, whose minutes cost money.
 */
export type MediaPath = Readonly<v.InferOutput<typeof mediaPath>>;

const rtpStats = v.strictObject({
  packetsReceived: count,
  /** Payload. */
  bytesReceived: count,
  /** Lost on the way (RFC 3550), those that were sent again included. */
  packetsLost: count,
  nacksSent: count,
  plisSent: count,
  firsSent: count,
  /** Interarrival jitter (RFC 3550), in ms. */
  jitterMs: amount,
});

/** Counts of one track's RTP packets, and of what was said about them by RTCP. */
export type RtpStats = Readonly<v.InferOutput<typeof rtpStats>>;

const ackCounts = v.strictObject({
  buffering: count,
  received: count,
  /** Those included that ListFragments told of. */
  persisted: count,
  /** ERROR acknowledgements by ErrorId, such as `4004`. */
  errors: v.record(v.pipe(v.string(), v.regex(/^\d{1,6}$/)), count),
});

/** Acknowledgements of fragments, by type. */
export type AckCounts = Readonly<v.InferOutput<typeof ackCounts>>;

const processUsage = v.strictObject({
  cpuUserMs: amount,
  cpuSystemMs: amount,
  residentBytes: count,
  /** The longest that the event loop kept a timer waiting since the last report, in ms. */
  eventLoopLagMs: amount,
});

/** What a process used since it began, and what it holds. */
export type ProcessUsage = Readonly<v.InferOutput<typeof processUsage>>;

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
export const noRtpStats: RtpStats = {
  packetsReceived: 0,
  bytesReceived: 0,
  packetsLost: 0,
  nacksSent: 0,
  plisSent: 0,
  firsSent: 0,
  jitterMs: 0,
};

/** Counts before the first acknowledgement. */
export const noAcks: AckCounts = { buffering: 0, received: 0, persisted: 0, errors: {} };

/** Stats of a session that saw nothing. */
export const noStats: SessionStats = { video: noRtpStats, audio: noRtpStats, acks: noAcks };
