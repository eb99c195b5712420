/** Whether a channel's media goes to a stream on its own (KVS API reference). */
import * as v from 'valibot';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { invalidArgument, noDataRetention } from '../http/service-error.js';
import { findChannel, findStream } from './lookup.js';
import { newVersion } from './registry.js';
import type { Registry } from './registry.js';
import * as s from './schemas.js';

/** The operations, to be served. */
export function mediaStorageOperations(registry: Registry): Operation[] {
  return [
    jsonOperation(
      'DescribeMediaStorageConfiguration',
      '/describeMediaStorageConfiguration',
      v.object(s.channel),
      (input) => {
        const { status, streamArn } = findChannel(registry, input).storage;
        return { MediaStorageConfiguration: { Status: status, StreamARN: streamArn } };
      },
    ),
    jsonOperation(
      'UpdateMediaStorageConfiguration',
      '/updateMediaStorageConfiguration',
      v.object({
        ChannelARN: s.arn,
        MediaStorageConfiguration: v.object({
          Status: v.picklist(['ENABLED', 'DISABLED']),
          StreamARN: v.optional(s.arn),
        }),
      }),
      async ({ ChannelARN, MediaStorageConfiguration }) => {
        const channel = findChannel(registry, { ChannelARN });
        const { Status: status, StreamARN: streamArn } = MediaStorageConfiguration;
        if (streamArn !== undefined) {
          const { retentionHours } = findStream(registry, { StreamARN: streamArn });
          if (retentionHours === 0) {
            throw noDataRetention('The stream must have a retention above 0 hours.');
          }
        } else if (status === 'ENABLED') {
          throw invalidArgument('MediaStorageConfiguration.StreamARN: is missing');
        }
        await registry.putChannel({
          ...channel,
          version: newVersion(),
          storage: { status, streamArn },
        });
      },
    ),
  ];
}
