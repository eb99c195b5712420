/** GetIceServerConfig (KVS signaling API reference). */
import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import { findChannel } from '../control/lookup.js';
import type { Registry } from '../control/registry.js';
import * as s from '../control/schemas.js';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import type { ResolvedOptions } from '../options.js';

type IceServer = ResolvedOptions['iceServers'][number];

/** The operation, to be served. Every caller gets the configured servers. */
export function iceServerOperation(
  registry: Registry,
  iceServers: ResolvedOptions['iceServers'],
): Operation {
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
      return {
        IceServerList: iceServers.map((server) => {
          const { username, password } = credentialsOf(server);
          return {
            Uris: server.uris,
            Username: username,
            Password: password,
            Ttl: server.ttlSeconds,
          };
        }),
      };
    },
  );
}

/** With a secret: what TURN servers call time-limited credentials (coturn, `use-auth-secret`). */
function credentialsOf({ username, password, secret, ttlSeconds }: IceServer): {
  readonly username: string;
  readonly password: string;
} {
  if (secret === undefined) return { username, password };
  const limited = `${String(Math.floor(Date.now() / 1_000) + ttlSeconds)}:${username}`;
  const digest = createHmac('sha1', secret).update(limited).digest('base64');
  return { username: limited, password: digest };
}
