/**
 * Messages between the Bridge and its media process. Both sides validate what they get: a message
 * that does not fit is a version mix-up or a bug, and ends the session with a typed error.
 */
import * as v from 'valibot';
import { SinkMode } from '../kvssink/choose-sink.js';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { lineLevels } from '../util/log.js';
import { AudioMode, VideoCodecName } from './codecs.js';
import { sessionStatsSchema } from './session-stats.js';

/** Both sides must speak the same version; raised with every change of a message. */
export const protocolVersion = 5;

/** Time between two signs of life of the media process, in ms. */
export const heartbeatIntervalMs = 1_000;

/** A media process silent for this long is taken for hung, in ms. */
export const silenceLimitMs = 4_000;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const fragmentTag = v.strictObject({ name: v.string(), value: v.string() });

const fragmentOwner = v.strictObject({ run: v.string(), session: count });

const iceServer = v.strictObject({ uri: v.string(), username: v.string(), password: v.string() });

const sessionOptions = v.strictObject({
  iceServers: v.pipe(v.array(iceServer), v.readonly()),
  jitterBufferMs: count,
  relayOnly: v.boolean(),
  videoCodecs: v.pipe(v.array(v.picklist(Object.values(VideoCodecName))), v.readonly()),
  audio: v.picklist(Object.values(AudioMode)),
  targetFragmentMs: count,
  connectMs: v.exactOptional(count),
  firstMediaMs: v.exactOptional(count),
  silentVideoMs: v.exactOptional(count),
  memoryLimitBytes: v.exactOptional(count),
  resumesAfterMs: v.exactOptional(count),
  gstDebug: v.exactOptional(v.string()),
  ledger: v.exactOptional(v.strictObject({ path: v.string(), run: v.string(), session: count })),
  tags: v.pipe(v.array(fragmentTag), v.readonly()),
  upload: v.strictObject({
    dataEndpoint: v.string(),
    archiveEndpoint: v.exactOptional(v.string()),
    streamName: v.string(),
    region: v.string(),
    ca: v.exactOptional(v.string()),
    expectPersisted: v.boolean(),
    bufferBytes: count,
    maxAgeMs: v.exactOptional(count),
    spool: v.exactOptional(v.strictObject({ folder: v.string(), maxBytes: count })),
    sink: v.picklist(Object.values(SinkMode)),
    kvssink: v.strictObject({
      retentionHours: count,
      persistTimeoutMs: count,
      drainTimeoutMs: count,
      folder: v.exactOptional(v.string()),
    }),
  }),
});

const credentials = v.strictObject({
  accessKeyId: v.string(),
  secretAccessKey: v.string(),
  sessionToken: v.exactOptional(v.string()),
  /** Unix epoch ms. */
  expirationMs: v.exactOptional(v.number()),
});

const toWorker = v.variant('type', [
  v.strictObject({
    type: v.literal('start'),
    version: v.literal(protocolVersion),
    options: sessionOptions,
  }),
  v.strictObject({ type: v.literal('credentials'), credentials }),
  v.strictObject({ type: v.literal('answer'), sdp: v.string() }),
  v.strictObject({ type: v.literal('candidate'), candidate: v.string(), sdpMLineIndex: count }),
  v.strictObject({ type: v.literal('metadata'), tag: fragmentTag, persistent: v.boolean() }),
  v.strictObject({ type: v.literal('stop'), drainTimeoutMs: count }),
]);

/** From the Bridge to its media process. */
export type ToWorker = v.InferOutput<typeof toWorker>;

const totals = v.strictObject({
  videoFramesReceived: count,
  audioFramesReceived: count,
  videoBytesReceived: count,
  videoFramesStored: count,
  audioFramesStored: count,
  fragmentsPersisted: count,
  bytesPersisted: count,
  videoFramesLost: count,
  videoFramesPending: count,
  videoFramesSpooled: count,
  fragmentsRecovered: count,
  videoFramesRecovered: count,
  keyframeRequests: count,
  newestReceivedMs: count,
  newestPersistedMs: count,
});

const error = v.strictObject({
  code: v.picklist(Object.values(ErrorCode)),
  message: v.string(),
  fix: v.exactOptional(v.string()),
});

const gstLogLine = v.strictObject({
  level: v.picklist(lineLevels),
  category: v.string(),
  object: v.exactOptional(v.string()),
  message: v.string(),
});

const toHost = v.variant('type', [
  v.strictObject({ type: v.literal('ready'), version: v.literal(protocolVersion) }),
  v.strictObject({ type: v.literal('heartbeat') }),
  v.strictObject({ type: v.literal('offer'), sdp: v.string() }),
  v.strictObject({ type: v.literal('candidate'), candidate: v.string(), sdpMLineIndex: count }),
  v.strictObject({
    type: v.literal('connectionState'),
    connection: v.string(),
    ice: v.string(),
  }),
  v.strictObject({
    type: v.literal('track'),
    kind: v.picklist(['video', 'audio']),
    codec: v.string(),
    storedAs: v.string(),
    transcoded: v.boolean(),
  }),
  v.strictObject({
    type: v.literal('epoch'),
    epoch: count,
    timecodeMs: count,
    videoCodec: v.exactOptional(v.string()),
    width: count,
    height: count,
    audioCodec: v.exactOptional(v.string()),
  }),
  v.strictObject({ type: v.literal('fragment'), epoch: count, timecodeMs: count }),
  v.strictObject({
    type: v.literal('sink'),
    sink: v.picklist(['kvssink', 'putmedia']),
    reason: v.string(),
  }),
  v.strictObject({
    type: v.literal('upload'),
    state: v.picklist(['opening', 'open', 'closed']),
    epoch: count,
  }),
  v.strictObject({
    type: v.literal('persisted'),
    epoch: count,
    fragmentNumber: v.string(),
    timecodeMs: count,
    durationMs: count,
    videoFrames: count,
    audioFrames: count,
    bytes: count,
    persistLatencyMs: v.number(),
    recovered: v.exactOptional(v.literal(true)),
    owner: v.exactOptional(fragmentOwner),
  }),
  v.strictObject({
    type: v.literal('lost'),
    videoFrames: count,
    reason: v.string(),
    fromMs: v.exactOptional(count),
    toMs: v.exactOptional(count),
    recovered: v.exactOptional(v.literal(true)),
    owner: v.exactOptional(fragmentOwner),
  }),
  v.strictObject({
    type: v.literal('spool'),
    state: v.picklist(['disk', 'memory']),
    bytes: count,
    fragments: count,
    ordersUploads: v.boolean(),
  }),
  v.strictObject({
    type: v.literal('gap'),
    fromMs: count,
    toMs: count,
    reason: v.string(),
    videoFramesDropped: count,
  }),
  v.strictObject({ type: v.literal('keyframeOverdue'), waitedMs: count }),
  v.strictObject({ type: v.literal('credentialsRefused') }),
  v.strictObject({ type: v.literal('uploadError'), error, fatal: v.boolean() }),
  v.strictObject({ type: v.literal('totals'), totals }),
  v.strictObject({ type: v.literal('stats'), stats: sessionStatsSchema }),
  v.strictObject({
    type: v.literal('gstLog'),
    lines: v.pipe(v.array(gstLogLine), v.readonly()),
    dropped: count,
  }),
  v.strictObject({ type: v.literal('warning'), error }),
  v.strictObject({
    type: v.literal('ending'),
    error: v.exactOptional(error),
    mayOverlap: v.boolean(),
  }),
  v.strictObject({ type: v.literal('closed'), totals, error: v.exactOptional(error) }),
]);

/** From a media process to its Bridge. */
export type ToHost = v.InferOutput<typeof toHost>;

/** @throws {@link KvsBridgeError} when `message` is not one that the media process takes */
export function parseToWorker(message: unknown): ToWorker {
  return parse(toWorker, message, 'the Bridge');
}

/** @throws {@link KvsBridgeError} when `message` is not one that the Bridge takes */
export function parseToHost(message: unknown): ToHost {
  return parse(toHost, message, 'the media process');
}

function parse<TSchema extends v.GenericSchema>(
  schema: TSchema,
  message: unknown,
  sender: string,
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, message);
  if (result.success) return result.output;
  // The paths only: values may be secret.
  const where = result.issues.map((issue) => v.getDotPath(issue) ?? 'the message').join(', ');
  throw new KvsBridgeError(
    ErrorCode.mediaProcess,
    `A message of ${sender} does not fit protocol version ${String(protocolVersion)}: ${where}`,
    { fix: 'Restart kvs-bridge: its files were probably replaced while it ran.' },
  );
}
