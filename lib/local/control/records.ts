/** The resources as they are kept, and their rules. */
import * as v from 'valibot';

const tags = v.record(v.string(), v.string());
const common = {
  name: v.string(),
  arn: v.string(),
  version: v.string(),
  createdAtMs: v.number(),
  tags,
};

const streamSchema = v.object({
  ...common,
  deviceName: v.optional(v.string()),
  mediaType: v.optional(v.string()),
  kmsKeyId: v.string(),
  retentionHours: v.number(),
});

const channelSchema = v.object({
  ...common,
  type: v.string(),
  messageTtlSeconds: v.number(),
  storage: v.object({
    status: v.picklist(['ENABLED', 'DISABLED']),
    streamArn: v.optional(v.string()),
  }),
});

export const stateSchema = v.object({
  version: v.literal(1),
  streams: v.array(streamSchema),
  channels: v.array(channelSchema),
});

/** A video stream. */
export type StreamRecord = v.InferOutput<typeof streamSchema>;
/** A signaling channel. */
export type ChannelRecord = v.InferOutput<typeof channelSchema>;
