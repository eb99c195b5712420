/** GetIceServerConfig (KVS signaling API reference). */
import * as v from 'valibot';
import { findChannel } from '../control/lookup.js';
import type { Registry } from '../control/registry.js';
import * as s from '../control/schemas.js';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import type { ResolvedOptions } from '../options.js';

/** The operation, to be served. Every caller gets the configured servers. */
export function iceServerOperation(
  registry: Registry,
  iceServers: ResolvedOptions['iceServers'],
): Operation {
  const list = iceServers.map(({ uris, username, password, ttlSeconds }) => ({
    Uris: uris,
    Username: username,
    Password: password,
    Ttl: ttlSeconds,
  }));
  return jsonOperation(
    'GetIceServerConfig',
    '/v1/get-ice-server-config',
    v.object({
      ChannelARN: s.arn,
      ClientId: v.optional(s.name),
      Service: v.optional(v.literal('TURN')),
      Username: v.optional(s.name),
    }),
    ({ ChannelARN }) => {
      findChannel(registry, { ChannelARN });
      return { IceServerList: list };
    },
  );
}
