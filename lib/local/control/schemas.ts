/** Inputs of the control plane as they come over the wire (KVS API reference). */
import * as v from 'valibot';
import { invalidArgument } from '../http/service-error.js';

const nameRule = 'must be 1 to 256 characters of a-z A-Z 0-9 _ . -';
const arnPattern = /^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+\/[a-zA-Z0-9_.-]+\/[0-9]+$/;

export const name = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.-]{1,256}$/, nameRule));
export const arn = v.pipe(
  v.string(),
  v.maxLength(1024),
  v.regex(arnPattern, 'must be the ARN of a Kinesis Video resource'),
);
export const version = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9]{1,64}$/));
export const nextToken = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9+/=]{0,1024}$/));
export const maxResults = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000));
export const hours = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(87_600));
export const deviceName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.-]{1,128}$/));
export const mediaType = v.pipe(
  v.string(),
  v.maxLength(128),
  v.regex(/^[\w\-.+]+\/[\w\-.+]+(,[\w\-.+]+\/[\w\-.+]+)*$/, 'must be like video/h264,audio/aac'),
);
export const kmsKeyId = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
const tagKey = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const tagValue = v.pipe(v.string(), v.maxLength(256));
export const tagMap = v.record(tagKey, tagValue);
export const tagList = v.array(v.object({ Key: tagKey, Value: tagValue }));
export const tagKeys = v.pipe(v.array(tagKey), v.minLength(1), v.maxLength(50));
export const nameCondition = v.object({
  ComparisonOperator: v.optional(v.literal('BEGINS_WITH'), 'BEGINS_WITH'),
  ComparisonValue: v.optional(name),
});
export const listing = { MaxResults: v.optional(maxResults), NextToken: v.optional(nextToken) };
/** A stream, by one of its two names; see {@link exactlyOne}. */
export const stream = { StreamName: v.optional(name), StreamARN: v.optional(arn) };
/** A channel, by one of its two names; see {@link exactlyOne}. */
export const channel = { ChannelName: v.optional(name), ChannelARN: v.optional(arn) };

/** Epoch seconds, as AWS's SDKs send, or an ISO date, as boto may; becomes epoch ms. */
export const timestamp = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform((value) => (typeof value === 'number' ? value * 1000 : Date.parse(value))),
  v.number('must be a time'),
  v.check((value) => !Number.isNaN(value), 'must be a time'),
);

/** One of two ways to name a resource. */
export type NameOrArn =
  { readonly name: string; readonly arn?: never } | { readonly arn: string; readonly name?: never };

/** @throws ServiceError both are given, or none */
export function exactlyOne(
  byName: string | undefined,
  byArn: string | undefined,
  what: 'Channel' | 'Stream',
): NameOrArn {
  if (byName !== undefined && byArn === undefined) return { name: byName };
  if (byArn !== undefined && byName === undefined) return { arn: byArn };
  throw invalidArgument(`Give either ${what}Name or ${what}ARN.`);
}
