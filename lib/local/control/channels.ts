/** Operations on signaling channels (KVS API reference). */
import * as v from 'valibot';
import type { Endpoints } from '../endpoints.js';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { invalidArgument, resourceInUse, tagLimit } from '../http/service-error.js';
import { checkVersion, findChannel } from './lookup.js';
import { page } from './paging.js';
import type { ChannelRecord } from './records.js';
import { newVersion } from './registry.js';
import type { Registry } from './registry.js';
import * as s from './schemas.js';
import { tagsOfList } from './tags.js';

const defaultMessageTtlSeconds = 60;
const singleMaster = v.object({
  MessageTtlSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(120))),
});
const maxTags = 50;

/** The operations, to be served. */
export function channelOperations(registry: Registry, endpoints: Endpoints): Operation[] {
  return [
    jsonOperation(
      'CreateSignalingChannel',
      '/createSignalingChannel',
      v.object({
        ChannelName: s.name,
        // FULL_MESH is in the model but not on offer.
        ChannelType: v.optional(v.literal('SINGLE_MASTER'), 'SINGLE_MASTER'),
        SingleMasterConfiguration: v.optional(singleMaster, {}),
        Tags: v.optional(s.tagList, []),
      }),
      async (input) => {
        if (registry.channelByName(input.ChannelName) !== undefined) {
          throw resourceInUse(`The channel ${input.ChannelName} already exists.`);
        }
        const tags = tagsOfList(input.Tags);
        if (Object.keys(tags).length > maxTags) throw tagLimit('At most 50 tags.');
        const { MessageTtlSeconds = defaultMessageTtlSeconds } = input.SingleMasterConfiguration;
        const channel: ChannelRecord = {
          ...registry.identity('channel', input.ChannelName),
          type: input.ChannelType,
          messageTtlSeconds: MessageTtlSeconds,
          tags,
          storage: { status: 'DISABLED' },
        };
        await registry.putChannel(channel);
        return { ChannelARN: channel.arn };
      },
    ),
    jsonOperation(
      'DescribeSignalingChannel',
      '/describeSignalingChannel',
      v.object(s.channel),
      (input) => ({ ChannelInfo: channelInfo(findChannel(registry, input)) }),
    ),
    jsonOperation(
      'ListSignalingChannels',
      '/listSignalingChannels',
      v.object({ ...s.listing, ChannelNameCondition: v.optional(s.nameCondition) }),
      (input) => {
        const prefix = input.ChannelNameCondition?.ComparisonValue ?? '';
        const matching = registry.channels.filter(({ name }) => name.startsWith(prefix));
        const { items, nextToken } = page(matching, input, ({ name }) => name);
        return { ChannelInfoList: items.map(channelInfo), NextToken: nextToken };
      },
    ),
    jsonOperation(
      'UpdateSignalingChannel',
      '/updateSignalingChannel',
      v.object({
        ChannelARN: s.arn,
        CurrentVersion: s.version,
        SingleMasterConfiguration: v.optional(singleMaster, {}),
      }),
      async (input) => {
        const channel = findChannel(registry, { ChannelARN: input.ChannelARN });
        checkVersion(channel, input.CurrentVersion);
        const { MessageTtlSeconds = channel.messageTtlSeconds } = input.SingleMasterConfiguration;
        await registry.putChannel({
          ...channel,
          version: newVersion(),
          messageTtlSeconds: MessageTtlSeconds,
        });
      },
    ),
    jsonOperation(
      'DeleteSignalingChannel',
      '/deleteSignalingChannel',
      v.object({ ChannelARN: s.arn, CurrentVersion: v.optional(s.version) }),
      async (input) => {
        const channel = findChannel(registry, { ChannelARN: input.ChannelARN });
        checkVersion(channel, input.CurrentVersion);
        await registry.deleteChannel(channel);
      },
    ),
    endpointOperation(registry, endpoints),
  ];
}

function endpointOperation(registry: Registry, endpoints: Endpoints): Operation {
  const protocols = v.pipe(
    v.array(v.picklist(['WSS', 'HTTPS', 'WEBRTC'])),
    v.minLength(1),
    v.maxLength(5),
  );
  return jsonOperation(
    'GetSignalingChannelEndpoint',
    '/getSignalingChannelEndpoint',
    v.object({
      ChannelARN: s.arn,
      SingleMasterChannelEndpointConfiguration: v.optional(
        v.object({
          Protocols: v.optional(protocols, ['WSS', 'HTTPS']),
          Role: v.optional(v.picklist(['MASTER', 'VIEWER']), 'MASTER'),
        }),
        {},
      ),
    }),
    ({ ChannelARN, SingleMasterChannelEndpointConfiguration }, { isSecure }) => {
      const channel = findChannel(registry, { ChannelARN });
      const { Protocols, Role } = SingleMasterChannelEndpointConfiguration;
      if (Protocols.includes('WEBRTC') && channel.storage.status !== 'ENABLED') {
        throw invalidArgument('WEBRTC has an endpoint only while media storage is ENABLED.');
      }
      return {
        ResourceEndpointList: Protocols.map((protocol) => ({
          Protocol: protocol,
          ResourceEndpoint:
            protocol === 'WSS' ? endpoints.signaling(isSecure, Role) : endpoints.http(isSecure),
        })),
      };
    },
  );
}

function channelInfo(channel: ChannelRecord): object {
  return {
    ChannelName: channel.name,
    ChannelARN: channel.arn,
    ChannelType: channel.type,
    ChannelStatus: 'ACTIVE',
    CreationTime: channel.createdAtMs / 1000,
    SingleMasterConfiguration: { MessageTtlSeconds: channel.messageTtlSeconds },
    Version: channel.version,
  };
}
