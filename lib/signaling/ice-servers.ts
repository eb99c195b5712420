/** STUN and TURN servers for a channel (AWS API reference, GetIceServerConfig). */
import { Agent as HttpsAgent } from 'node:https';
import * as v from 'valibot';
import { callAws } from '../aws/aws-call.js';
import { awsClock } from '../aws/clock.js';
import { httpTimeouts } from '../aws/control-plane-client.js';
import type { CredentialsSource } from '../aws/credentials.js';
import { awsDomainOf, parseResource } from '../aws/resource-names.js';
import { OptionsError } from '../util/errors.js';
import { rememberSecrets } from '../util/secrets.js';

/** One STUN or TURN server. */
export interface IceServer {
  /** `stun:`, `stuns:`, `turn:` or `turns:` URIs of the same server. */
  readonly urls: readonly string[];
  readonly username?: string;
  /** Password. Secret: never log it. */
  readonly credential?: string;
}

/** The servers to use for one peer connection. */
export interface IceServers {
  readonly servers: readonly IceServer[];
  /** How long the TURN passwords work, in seconds; absent without TURN. KVS gives 300 s. */
  readonly ttlSeconds?: number;
}

/** Options of {@link getIceServers}. */
export interface IceServersOptions {
  /** HTTPS endpoint of the role, from GetSignalingChannelEndpoint. */
  readonly endpoint: URL;
  readonly channelArn: string;
  /** A viewer's id. */
  readonly clientId?: string;
  readonly region: string;
  readonly credentials: CredentialsSource;
  /** STUN URI to use, or null for none. @defaultValue KVS's own of the region */
  readonly stunUri?: string | null;
  /** PEM of the authority to trust at the endpoint, for a self-signed certificate. */
  readonly ca?: string;
  readonly signal?: AbortSignal;
}

const stunUriPattern = /^stuns?:[^\s/?#@]{1,255}$/;
const iceUriPattern = /^(?:stuns?:[^\s?#@]{1,255}|turns?:[^\s#@]{1,255})$/;

const serverSchema = v.object({
  Uris: v.array(v.unknown()),
  Username: v.nullish(v.pipe(v.string(), v.maxLength(1024))),
  Password: v.nullish(v.pipe(v.string(), v.maxLength(1024))),
  Ttl: v.nullish(v.pipe(v.number(), v.minValue(1), v.maxValue(86_400))),
});

const iceUriText = 'must be stun:, stuns:, turn: or turns: URIs';

/** Servers that somebody else names. */
export const iceServersSchema = v.array(
  v.strictObject({
    urls: v.pipe(
      v.array(v.pipe(v.string(iceUriText), v.regex(iceUriPattern, iceUriText))),
      v.minLength(1, iceUriText),
    ),
    username: v.exactOptional(v.pipe(v.string(), v.maxLength(1024))),
    credential: v.exactOptional(v.pipe(v.string(), v.maxLength(1024))),
  }),
);

/**
 * Asks KVS for its TURN servers and adds the STUN server, which is not in the answer. Entries that
 * are of no use are left out.
 *
 * @throws {@link AwsError} as every AWS call; {@link OptionsError} for a bad `stunUri`
 */
export async function getIceServers(options: IceServersOptions): Promise<IceServers> {
  const { channelArn, clientId, region, signal } = options;
  const stunServers = stunServersOf(options);
  const list = await callAws(
    {
      action: 'GetIceServerConfig',
      region,
      host: options.endpoint.host,
      resource: parseResource('channel', channelArn, region),
    },
    async (credentials) => {
      const { KinesisVideoSignaling } = await import('@aws-sdk/client-kinesis-video-signaling');
      const httpsAgent = new HttpsAgent(options.ca === undefined ? {} : { ca: options.ca });
      const client = new KinesisVideoSignaling({
        region,
        credentials,
        endpoint: options.endpoint.href,
        systemClockOffset: awsClock.offsetMs,
        maxAttempts: 1,
        requestHandler: { ...httpTimeouts, httpsAgent },
      });
      try {
        const answer = await client.getIceServerConfig(
          {
            ChannelARN: channelArn,
            Service: 'TURN',
            ...(clientId === undefined ? {} : { ClientId: clientId }),
          },
          signal === undefined ? {} : { abortSignal: signal },
        );
        return answer.IceServerList ?? [];
      } finally {
        client.destroy();
      }
    },
    { credentials: options.credentials, signal },
  );
  const { servers, ttlSeconds } = readIceServerList(list);
  return {
    servers: [...stunServers, ...servers],
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  };
}

/** The STUN part alone, for when TURN is not wanted. */
export function stunServersOf({
  stunUri,
  region,
}: Pick<IceServersOptions, 'region' | 'stunUri'>): readonly IceServer[] {
  if (stunUri === null) return [];
  const uri = stunUri ?? `stun:stun.kinesisvideo.${region}.${awsDomainOf(region)}:443`;
  if (stunUriPattern.test(uri)) return [{ urls: [uri] }];
  throw new OptionsError('stunUri', 'The STUN server is not a stun: or stuns: URI', {
    fix: 'Give one like stun:stun.example.org:3478, or none.',
  });
}

/** Reads the `IceServerList` of an answer. Never throws. */
export function readIceServerList(list: unknown): IceServers {
  const servers: IceServer[] = [];
  let ttlSeconds: number | undefined;
  for (const item of Array.isArray(list) ? (list as unknown[]) : []) {
    const parsed = v.safeParse(serverSchema, item);
    if (!parsed.success) continue;
    const { Uris: uris, Username: username, Password: credential, Ttl: ttl } = parsed.output;
    const mayTurn = typeof username === 'string' && typeof credential === 'string';
    const urls = uris.filter(
      (uri): uri is string =>
        typeof uri === 'string' && iceUriPattern.test(uri) && (mayTurn || uri.startsWith('stun')),
    );
    if (urls.length === 0) continue;
    if (mayTurn) rememberSecrets(credential);
    servers.push(mayTurn ? { urls, username, credential } : { urls });
    if (typeof ttl === 'number') ttlSeconds = Math.min(ttl, ttlSeconds ?? ttl);
  }
  return { servers, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
}
