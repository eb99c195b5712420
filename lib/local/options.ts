/** Options of the local KVS, their defaults and their checks. */
import * as v from 'valibot';
import { parseOptions, rules } from '../util/options.js';

/** A key pair that callers may sign with. */
export interface LocalCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes the keys temporary: calls must then carry this token. */
  readonly sessionToken?: string;
}

/** The key pair that works when none is configured. Well known on purpose: it guards nothing. */
export const localCredentials: LocalCredentials = {
  accessKeyId: 'local',
  secretAccessKey: 'local-secret-access-key',
};

/** A server handed out by GetIceServerConfig. */
export interface LocalIceServer {
  /** `turn:` and `turns:` URIs. */
  readonly uris: readonly string[];
  readonly username: string;
  readonly password: string;
  /**
   * Secret shared with the TURN server, such as coturn's `static-auth-secret`: each caller then gets
   * credentials of its own that end after `ttlSeconds`, in place of `username` and `password`.
   */
  readonly secret?: string;
  /** Seconds the credentials hold, 30 to 86400. @defaultValue 300 */
  readonly ttlSeconds?: number;
}

/** Takes log lines; pino fits. */
export interface LocalKvsLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Bounds of an upload (AWS dev guide, PutMedia and "Service quotas"). */
export interface IngestLimits {
  /** Above it: 4001. @defaultValue 50 MB */
  readonly maxFragmentBytes: number;
  /** Above it: 4002. @defaultValue 20 000 */
  readonly maxFragmentDurationMs: number;
  /** Above it: 4012. @defaultValue 3 */
  readonly maxTracks: number;
  /** Above it: 4009. @defaultValue 10 */
  readonly maxTagsPerFragment: number;
  /** Of any element that is not media, and of the header: 4006. @defaultValue 1 MiB */
  readonly maxMetadataElementBytes: number;
  /** Then the connection ends with 4003. @defaultValue 45 min */
  readonly maxConnectionDurationMs: number;
  /** Pause of the upload after which IDLE is sent, again and again. @defaultValue 5000 */
  readonly idleAckIntervalMs: number;
  /** Pause of the upload that ends the connection. @defaultValue 30 000 */
  readonly idleTimeoutMs: number;
  /**
   * How long a second connection may overlap the first, in ms: a producer that rotates its
   * credentials needs some seconds. Once a connection used this up, others are refused until it
   * ends. @defaultValue 10 000
   */
  readonly connectionOverlapMs: number;
}

/** Bounds of signaling (AWS WebRTC dev guide, "Service quotas"). */
export interface SignalingLimits {
  /** @defaultValue 10 */
  readonly maxViewers: number;
  /** Connections per channel and second. @defaultValue 3 */
  readonly connectsPerSecond: number;
  /** Offers and answers per connection and second. @defaultValue 5 */
  readonly sdpPerSecond: number;
  /** Candidates per connection and second. @defaultValue 20 */
  readonly candidatesPerSecond: number;
  /** Characters of a message's base64 payload. @defaultValue 10 000 */
  readonly maxPayloadLength: number;
  /** Without traffic a connection is closed. @defaultValue 10 min */
  readonly idleTimeoutMs: number;
  /** Then GO_AWAY is sent. @defaultValue 1 h */
  readonly connectionDurationMs: number;
  /** From GO_AWAY to the close. @defaultValue 1 min */
  readonly goAwayGraceMs: number;
}

/** Bounds of everything else. */
export interface StorageLimits {
  /** Readers of GetMedia per stream. @defaultValue 3 */
  readonly maxReaders: number;
  /** Bytes kept in memory of a stream with retention 0. @defaultValue 200 MB */
  readonly liveBufferBytes: number;
  /** Age of what is kept in memory of a stream with retention 0. @defaultValue 5 min */
  readonly liveBufferMs: number;
  /** Pause between two looks for fragments that are past their retention. @defaultValue 60 000 */
  readonly trimIntervalMs: number;
  /** Allowed difference between the clocks of caller and server. @defaultValue 5 min */
  readonly maxClockSkewMs: number;
}

/** All bounds. */
export interface LocalKvsLimits {
  readonly ingest: IngestLimits;
  readonly signaling: SignalingLimits;
  readonly storage: StorageLimits;
}

/** What {@link LocalKvsLimits} is when nothing is said. */
export const defaultLimits: LocalKvsLimits = {
  ingest: {
    maxFragmentBytes: 50 * 1000 * 1000,
    maxFragmentDurationMs: 20_000,
    maxTracks: 3,
    maxTagsPerFragment: 10,
    maxMetadataElementBytes: 1024 * 1024,
    maxConnectionDurationMs: 45 * 60_000,
    idleAckIntervalMs: 5000,
    idleTimeoutMs: 30_000,
    connectionOverlapMs: 10_000,
  },
  signaling: {
    maxViewers: 10,
    connectsPerSecond: 3,
    sdpPerSecond: 5,
    candidatesPerSecond: 20,
    maxPayloadLength: 10_000,
    idleTimeoutMs: 10 * 60_000,
    connectionDurationMs: 60 * 60_000,
    goAwayGraceMs: 60_000,
  },
  storage: {
    maxReaders: 3,
    liveBufferBytes: 200 * 1000 * 1000,
    liveBufferMs: 5 * 60_000,
    trimIntervalMs: 60_000,
    maxClockSkewMs: 5 * 60_000,
  },
};

/** What happens to a connection whose place a newer one takes; AWS does not document it. */
export const SupersededConnections = {
  /** It is closed with 1000. */
  close: 'close',
  /** It stays open and nothing ever comes again, which is harder to notice. */
  keepSilent: 'keepSilent',
} as const;

/** One of {@link SupersededConnections}. */
export type SupersededConnections =
  (typeof SupersededConnections)[keyof typeof SupersededConnections];

/** A certificate of the caller's own. */
export interface TlsCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Options of `LocalKvs.start`. */
export interface LocalKvsOptions {
  /** Folder that holds everything; made when it is missing. One server at a time. */
  readonly dataDir: string;
  /** Address to listen on. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Host in the URLs handed out. @defaultValue `host`, or loopback when that is a wildcard */
  readonly advertisedHost?: string;
  /** Port of http and ws; 0 lets the system choose. @defaultValue 0 */
  readonly port?: number;
  /** Serves https and wss as well, with this certificate or one made and kept in `dataDir`. */
  readonly tls?: TlsCertificate | 'self-signed';
  /** Port of https and wss; 0 lets the system choose. @defaultValue 0 */
  readonly tlsPort?: number;
  /** Region that calls must be signed for. @defaultValue 'us-east-1' */
  readonly region?: string;
  /** Account in the ARNs. @defaultValue '123456789012' */
  readonly accountId?: string;
  /** Who may call. @defaultValue {@link localCredentials} alone */
  readonly credentials?: readonly LocalCredentials[];
  /** Whether signatures are checked; a proxy that rewrites Host breaks them. @defaultValue true */
  readonly verifySignatures?: boolean;
  /** What GetIceServerConfig answers. @defaultValue none: loopback needs no TURN */
  readonly iceServers?: readonly LocalIceServer[];
  /** Bounds that differ from the defaults. */
  readonly limits?: {
    readonly ingest?: Partial<IngestLimits>;
    readonly signaling?: Partial<SignalingLimits>;
    readonly storage?: Partial<StorageLimits>;
  };
  /** @defaultValue 'close' */
  readonly supersededConnections?: SupersededConnections;
  readonly logger?: LocalKvsLogger;
  /** Ends the start. A server that runs is ended by `close`. */
  readonly signal?: AbortSignal;
}

const port = rules.whole(0, 65_535);
const maxInt32 = 2 ** 31 - 1;
const amount = rules.whole(1, maxInt32);
const partial = (defaults: object) =>
  v.optional(
    v.strictObject(
      Object.fromEntries(Object.keys(defaults).map((name) => [name, v.exactOptional(amount)])),
    ),
    {},
  );
// Not strict: AWS's SDKs note on a key pair where it came from.
const credentials = v.object({
  accessKeyId: rules.text,
  secretAccessKey: rules.text,
  sessionToken: v.exactOptional(rules.text),
});

const schema = v.object({
  dataDir: rules.text,
  host: v.optional(rules.text, '127.0.0.1'),
  advertisedHost: v.optional(rules.text),
  port: v.optional(port, 0),
  tls: v.optional(
    v.union(
      [v.literal('self-signed'), v.strictObject({ certPem: rules.text, keyPem: rules.text })],
      "must be 'self-signed' or an object with certPem and keyPem",
    ),
  ),
  tlsPort: v.optional(port, 0),
  region: v.optional(rules.region, 'us-east-1'),
  accountId: v.optional(
    v.pipe(rules.text, v.regex(/^\d{12}$/, 'must be 12 digits')),
    '123456789012',
  ),
  credentials: v.optional(v.pipe(v.array(credentials), v.minLength(1, 'must not be empty')), [
    { ...localCredentials },
  ]),
  verifySignatures: v.optional(rules.flag, true),
  iceServers: v.optional(
    v.array(
      v.strictObject({
        uris: v.pipe(v.array(rules.text), v.minLength(1, 'must not be empty')),
        username: v.string('must be text'),
        password: v.string('must be text'),
        secret: v.exactOptional(rules.text),
        ttlSeconds: v.optional(rules.whole(30, 86_400), 300),
      }),
    ),
    [],
  ),
  limits: v.optional(
    v.strictObject({
      ingest: partial(defaultLimits.ingest),
      signaling: partial(defaultLimits.signaling),
      storage: partial(defaultLimits.storage),
    }),
    {},
  ),
  supersededConnections: v.optional(
    v.picklist(Object.values(SupersededConnections), "must be 'close' or 'keepSilent'"),
    SupersededConnections.close,
  ),
});

/** Options with every default filled in. */
export interface ResolvedOptions extends Omit<
  v.InferOutput<typeof schema>,
  'advertisedHost' | 'limits'
> {
  readonly advertisedHost: string;
  readonly limits: LocalKvsLimits;
}

/** @throws OptionsError naming the first option that is wrong */
export function resolveOptions(options: LocalKvsOptions): ResolvedOptions {
  const parsed = parseOptions(schema, options);
  const { ingest, signaling, storage } = parsed.limits;
  return {
    ...parsed,
    advertisedHost: parsed.advertisedHost ?? reachable(parsed.host),
    limits: {
      ingest: { ...defaultLimits.ingest, ...ingest },
      signaling: { ...defaultLimits.signaling, ...signaling },
      storage: { ...defaultLimits.storage, ...storage },
    },
  };
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
