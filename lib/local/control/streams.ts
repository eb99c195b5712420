/** Operations on streams (KVS API reference, "Amazon Kinesis Video Streams"). */
import * as v from 'valibot';
import type { Endpoints } from '../endpoints.js';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { invalidArgument, resourceInUse, tagLimit } from '../http/service-error.js';
import { checkVersion, findStream } from './lookup.js';
import { page } from './paging.js';
import type { StreamRecord } from './records.js';
import { newVersion } from './registry.js';
import type { Registry } from './registry.js';
import * as s from './schemas.js';

/** APIs that GetDataEndpoint knows; this server has one endpoint for all of them. */
const apiNames = [
  'PUT_MEDIA',
  'GET_MEDIA',
  'LIST_FRAGMENTS',
  'GET_MEDIA_FOR_FRAGMENT_LIST',
  'GET_HLS_STREAMING_SESSION_URL',
  'GET_DASH_STREAMING_SESSION_URL',
  'GET_CLIP',
  'GET_IMAGES',
] as const;

const defaultKmsKeyId = 'alias/aws/kinesisvideo';
const maxTags = 50;
const maxRetentionHours = 87_600;

/** The operations, to be served. */
export function streamOperations(registry: Registry, endpoints: Endpoints): Operation[] {
  return [
    jsonOperation(
      'CreateStream',
      '/createStream',
      v.object({
        StreamName: s.name,
        DeviceName: v.optional(s.deviceName),
        MediaType: v.optional(s.mediaType),
        KmsKeyId: v.optional(s.kmsKeyId, defaultKmsKeyId),
        DataRetentionInHours: v.optional(s.hours, 0),
        Tags: v.optional(s.tagMap, {}),
      }),
      async (input) => {
        if (registry.streamByName(input.StreamName) !== undefined) {
          throw resourceInUse(`The stream ${input.StreamName} already exists.`);
        }
        if (Object.keys(input.Tags).length > maxTags) throw tagLimit('At most 50 tags.');
        const stream: StreamRecord = {
          ...registry.identity('stream', input.StreamName),
          deviceName: input.DeviceName,
          mediaType: input.MediaType,
          kmsKeyId: input.KmsKeyId,
          retentionHours: input.DataRetentionInHours,
          tags: input.Tags,
        };
        await registry.putStream(stream);
        return { StreamARN: stream.arn };
      },
    ),
    jsonOperation('DescribeStream', '/describeStream', v.object(s.stream), (input) => ({
      StreamInfo: streamInfo(findStream(registry, input)),
    })),
    jsonOperation(
      'ListStreams',
      '/listStreams',
      v.object({ ...s.listing, StreamNameCondition: v.optional(s.nameCondition) }),
      (input) => {
        const prefix = input.StreamNameCondition?.ComparisonValue ?? '';
        const matching = registry.streams.filter(({ name }) => name.startsWith(prefix));
        const { items, nextToken } = page(matching, input, ({ name }) => name);
        return { StreamInfoList: items.map(streamInfo), NextToken: nextToken };
      },
    ),
    jsonOperation(
      'UpdateStream',
      '/updateStream',
      v.object({
        ...s.stream,
        CurrentVersion: s.version,
        DeviceName: v.optional(s.deviceName),
        MediaType: v.optional(s.mediaType),
      }),
      async (input) => {
        const stream = findStream(registry, input);
        checkVersion(stream, input.CurrentVersion);
        await registry.putStream({
          ...stream,
          version: newVersion(),
          deviceName: input.DeviceName ?? stream.deviceName,
          mediaType: input.MediaType ?? stream.mediaType,
        });
      },
    ),
    jsonOperation(
      'UpdateDataRetention',
      '/updateDataRetention',
      v.object({
        ...s.stream,
        CurrentVersion: s.version,
        Operation: v.picklist(['INCREASE_DATA_RETENTION', 'DECREASE_DATA_RETENTION']),
        DataRetentionChangeInHours: v.pipe(s.hours, v.minValue(1)),
      }),
      async (input) => {
        const stream = findStream(registry, input);
        checkVersion(stream, input.CurrentVersion);
        const sign = input.Operation === 'INCREASE_DATA_RETENTION' ? 1 : -1;
        const retentionHours = stream.retentionHours + sign * input.DataRetentionChangeInHours;
        if (retentionHours < 0 || retentionHours > maxRetentionHours) {
          throw invalidArgument(`The retention would be ${retentionHours} hours.`);
        }
        await registry.putStream({ ...stream, version: newVersion(), retentionHours });
      },
    ),
    jsonOperation(
      'DeleteStream',
      '/deleteStream',
      v.object({ StreamARN: s.arn, CurrentVersion: v.optional(s.version) }),
      async (input) => {
        const stream = findStream(registry, { StreamARN: input.StreamARN });
        checkVersion(stream, input.CurrentVersion);
        await registry.deleteStream(stream);
      },
    ),
    jsonOperation(
      'GetDataEndpoint',
      '/getDataEndpoint',
      v.object({ ...s.stream, APIName: v.picklist(apiNames) }),
      (input, { isSecure }) => {
        findStream(registry, input);
        return { DataEndpoint: endpoints.http(isSecure) };
      },
    ),
  ];
}

/** Times are epoch seconds: AWS's SDKs throw on anything else. */
function streamInfo(stream: StreamRecord): object {
  return {
    DeviceName: stream.deviceName,
    StreamName: stream.name,
    StreamARN: stream.arn,
    MediaType: stream.mediaType,
    KmsKeyId: stream.kmsKeyId,
    Version: stream.version,
    Status: 'ACTIVE',
    CreationTime: stream.createdAtMs / 1000,
    DataRetentionInHours: stream.retentionHours,
  };
}
