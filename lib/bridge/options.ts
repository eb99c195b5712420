/** Options of a {@link KvsBridge}: defaults, bounds and the errors that name what is wrong. */
import * as v from 'valibot';
import type { AwsCredentials, CredentialsProvider } from '../aws/credentials.js';
import { AudioMode, VideoCodecName } from '../media/codecs.js';
import { SinkMode } from '../kvssink/choose-sink.js';
import type { KvsSinkPlace } from '../kvssink/environment.js';
import { Isolation } from '../media/create-session.js';
import type { SignalingRhythm } from '../signaling/lasting-connection.js';
import { spoolRoot } from '../spool/place.js';
import { OptionsError } from '../util/errors.js';
import { isLogger } from '../util/log.js';
import type { Logger } from '../util/log.js';
import type { BridgeHooks } from './hooks.js';
import { parseOptions, regionOf, rules } from '../util/options.js';

/** When a Bridge tries again, in ms. */
export interface RetryRhythm {
  /** Upper bound of the first delay; later ones double. @defaultValue 1000 */
  readonly minDelayMs: number;
  /** Upper bound of every delay. @defaultValue 60000 */
  readonly maxDelayMs: number;
  /** The delay where a person has to act, at most a quarter less. @defaultValue 300000 */
  readonly slowDelayMs: number;
}

/** What a {@link KvsBridge} is made from. */
export interface KvsBridgeOptions {
  /** Name or ARN of the signaling channel that the master streams through. */
  readonly channel: string;
  /** Name of the stream that keeps the media. */
  readonly stream: string;
  /** AWS region of both. @defaultValue AWS_REGION, then AWS_DEFAULT_REGION */
  readonly region?: string;
  /** Control plane to use instead of AWS's, such as a local KVS: an http or https URL. */
  readonly endpoint?: string;
  /** PEM of the certificate authority to trust at `endpoint`. */
  readonly ca?: string;
  /**
   * Credentials, or what gives them out: it is asked again before they expire and after AWS refused
   * them. @defaultValue the ordinary AWS chain
   */
  readonly credentials?: AwsCredentials | CredentialsProvider;
  /** Create the stream when it does not exist. @defaultValue false */
  readonly createStream?: boolean;
  /** Retention of a stream that is created, in hours, 1 to 87600. @defaultValue 24 */
  readonly retentionHours?: number;
  /** Our viewer id on the channel. @defaultValue `kvs-bridge-` and the stream's name */
  readonly clientId?: string;
  /**
   * What to ask the master for, the preferred codec first; what is not listed is refused. A codec
   * that this machine cannot decode is left out with a warning.
   *
   * @defaultValue `['h264', 'h265', 'vp8', 'vp9', 'av1']`
   */
  readonly videoCodecs?: readonly VideoCodecName[];
  /** What becomes of the sound. @defaultValue 'aac' */
  readonly audio?: AudioMode;
  /** Where the media pipeline runs. @defaultValue 'process' */
  readonly isolation?: Isolation;
  /**
   * What stores the media: AWS's kvssink element, the built-in upload, or kvssink where GStreamer
   * finds it and the media runs in a process of its own. @defaultValue 'auto'
   */
  readonly sink?: SinkMode;
  /** Fragment length aimed at, in ms, 1000 to 18000. @defaultValue 2000 */
  readonly fragmentTargetMs?: number;
  /** Jitter buffer, in ms, 0 to 5000; docs/jitter-buffer.md has what it costs. @defaultValue 300 */
  readonly jitterBufferMs?: number;
  /** Use TURN relays only. @defaultValue false */
  readonly relayOnly?: boolean;
  /** STUN server URI, or null for none. @defaultValue the region's KVS STUN server */
  readonly stunUri?: string | null;
  /** How long to wait for a master's first answer, in ms; 0 waits for ever. @defaultValue 0 */
  readonly masterTimeoutMs?: number;
  /** Without a PERSISTED for this long the state is `degraded`, in ms. @defaultValue 15000 */
  readonly persistTimeoutMs?: number;
  /** How long `stop` waits for the last PERSISTED, in ms. @defaultValue 10000 */
  readonly drainTimeoutMs?: number;
  /**
   * Metadata of every fragment, by name: up to 6, names of 1 to 128 bytes that begin with neither
   * `AWS` nor `kvsb-`, values of 1 to 256 bytes. @defaultValue none
   */
  readonly tags?: Readonly<Record<string, string>>;
  /** Bound of media that waits in memory to be persisted, in MB (10^6), 1 to 4096. @defaultValue 64 */
  readonly bufferMb?: number;
  /**
   * Memory that a media process may use besides `bufferMb`, in MB (10^6), 64 to 65536, or 0 for any:
   * one that uses more leaks, and is replaced. About 90 are usual, 170 where 1080p is transcoded.
   *
   * @defaultValue 1024
   */
  readonly mediaMemoryMb?: number;
  /**
   * Folder for what outlives the Bridge, in a folder for each stream: its ledger, and media that is
   * not stored yet. What cannot be kept there waits in memory.
   *
   * @defaultValue `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/kvs-bridge`, else
   * `~/.local/state/kvs-bridge`
   */
  readonly spoolDir?: string;
  /**
   * Most media that waits on disk to be persisted, in MB (10^6), 0 to 1000000; the oldest is given up
   * first. 0 keeps it in memory only, where it is lost with the process. kvssink does without.
   *
   * @defaultValue 1024
   */
  readonly spoolMb?: number;
  /**
   * Age at which an offer that nobody answered is replaced at the latest, in ms, 1000 to 3600000: the
   * service takes no more candidates than those of an offer a second. It is sooner when its TURN
   * credentials end sooner. @defaultValue 240000
   */
  readonly offerLifetimeMs?: number;
  /**
   * Age at which the built-in upload replaces its request at the latest, in ms; KVS ends one after
   * 45 min (PutMedia). It is sooner when its credentials end sooner. @defaultValue 2400000
   */
  readonly uploadLifetimeMs?: number;
  /**
   * End with the error when only a person can mend what went wrong, such as a deleted stream; without
   * it, the Bridge says so and tries again. @defaultValue false
   */
  readonly exitOnFatal?: boolean;
  /** Where the program has a say: servers and metadata by session, metadata by fragment. */
  readonly hooks?: BridgeHooks;
  /**
   * Where it logs: a pino logger, or anything with pino's methods. It gets a child for each part
   * (`component`: {@link LogComponent}), every event, and no secrets. @defaultValue nowhere
   */
  readonly logger?: Logger;
  /**
   * What GStreamer's own log tells the `gstreamer` component, as `GST_DEBUG` has it: `2` for all its
   * warnings, `webrtc*:5,2`. Levels 0 to 7. Above 2 it is meant for developers: it says a lot, and
   * what is too much for the log is left out and counted.
   *
   * @defaultValue GST_DEBUG, else '1', where there is a `logger`
   */
  readonly gstDebug?: string;
  /** When it tries again after a failure; for tests that run months in seconds. */
  readonly retry?: Partial<RetryRhythm>;
  /** When signaling connections are made; for tests that run months in seconds. */
  readonly signaling?: Partial<SignalingRhythm>;
}

/** GStreamer's syntax, without the level that dumps memory: media is not for logs. */
const gstDebugEntry =
  '(?:[\\w*?.-]{1,64}:)?(?:[0-7]|NONE|ERROR|WARN|WARNING|FIXME|INFO|DEBUG|LOG|TRACE)';
const gstDebugPattern = new RegExp(`^${gstDebugEntry}(?:,${gstDebugEntry}){0,63}$`);

const isFunction = (value: unknown): boolean => typeof value === 'function';
const credentialsText =
  'must be an object with accessKeyId and secretAccessKey, or a function that resolves with one';

const delayMs = v.exactOptional(rules.whole(1, 86_400_000));
const videoCodecNames = Object.values(VideoCodecName);
const videoCodecsText = `must list some of ${videoCodecNames.join(', ')}, each once`;

const schema = v.strictObject({
  channel: rules.text,
  stream: rules.name,
  region: v.exactOptional(rules.region),
  endpoint: v.exactOptional(rules.httpUrl),
  ca: v.exactOptional(rules.text),
  credentials: v.exactOptional(
    v.union([rules.credentials, v.custom<CredentialsProvider>(isFunction)], credentialsText),
  ),
  createStream: v.exactOptional(rules.flag, false),
  retentionHours: v.exactOptional(rules.whole(1, 87_600), 24),
  clientId: v.exactOptional(rules.clientId),
  videoCodecs: v.exactOptional(
    v.pipe(
      v.array(v.picklist(videoCodecNames, videoCodecsText), videoCodecsText),
      v.check((names) => names.length > 0 && new Set(names).size === names.length, videoCodecsText),
      v.readonly(),
    ),
    videoCodecNames,
  ),
  audio: v.exactOptional(
    v.picklist(Object.values(AudioMode), 'must be aac, source or none'),
    AudioMode.aac,
  ),
  isolation: v.exactOptional(
    v.picklist(Object.values(Isolation), 'must be process or none'),
    Isolation.process,
  ),
  sink: v.exactOptional(
    v.picklist(Object.values(SinkMode), 'must be auto, kvssink or putmedia'),
    SinkMode.auto,
  ),
  fragmentTargetMs: v.exactOptional(rules.whole(1_000, 18_000), 2_000),
  jitterBufferMs: v.exactOptional(rules.whole(0, 5_000), 300),
  relayOnly: v.exactOptional(rules.flag, false),
  stunUri: v.exactOptional(v.nullable(rules.text)),
  masterTimeoutMs: v.exactOptional(rules.whole(0, 86_400_000), 0),
  persistTimeoutMs: v.exactOptional(rules.whole(1_000, 600_000), 15_000),
  drainTimeoutMs: v.exactOptional(rules.whole(0, 600_000), 10_000),
  tags: v.exactOptional(v.record(v.string(), v.string('must be text')), {}),
  bufferMb: v.exactOptional(rules.whole(1, 4_096), 64),
  mediaMemoryMb: v.exactOptional(
    v.union(
      [v.literal(0), rules.whole(64, 65_536)],
      'must be 0 or a whole number from 64 to 65536',
    ),
    1_024,
  ),
  spoolDir: v.exactOptional(rules.text),
  spoolMb: v.exactOptional(rules.whole(0, 1_000_000), 1_024),
  offerLifetimeMs: v.exactOptional(rules.whole(1_000, 3_600_000), 240_000),
  uploadLifetimeMs: v.exactOptional(rules.whole(1_000, 2_640_000), 2_400_000),
  exitOnFatal: v.exactOptional(rules.flag, false),
  hooks: v.exactOptional(
    v.strictObject({
      beforeSession: v.exactOptional(v.function('must be a function')),
      fragmentTags: v.exactOptional(v.function('must be a function')),
    }),
  ),
  logger: v.exactOptional(
    v.custom<Logger>(isLogger, 'must have the methods trace, debug, info, warn, error and child'),
  ),
  gstDebug: v.exactOptional(
    v.pipe(
      rules.text,
      v.regex(gstDebugPattern, 'must be like webrtc*:5,2: categories with levels from 0 to 7'),
    ),
  ),
  retry: v.exactOptional(
    v.strictObject({ minDelayMs: delayMs, maxDelayMs: delayMs, slowDelayMs: delayMs }),
    {},
  ),
  signaling: v.exactOptional(
    v.strictObject({
      lifetimeMs: delayMs,
      minDelayMs: delayMs,
      maxDelayMs: delayMs,
      stableMs: delayMs,
      overlapMs: delayMs,
    }),
    {},
  ),
});

/** Options with every default filled in. */
export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, 'retry'> & {
  readonly retry: RetryRhythm;
  readonly region: string;
  readonly clientId: string;
  /** Absolute. */
  readonly spoolDir: string;
};

/** Options of a Bridge that others may know, with their defaults; see {@link KvsBridgeOptions}. */
export interface BridgeSettings {
  readonly channel: string;
  readonly stream: string;
  readonly region: string;
  readonly persistTimeoutMs: number;
  readonly spoolMb: number;
  readonly bufferMb: number;
  readonly mediaMemoryMb: number;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link OptionsError} that names the option, what was expected and the fix
 */
export function resolveOptions(options: KvsBridgeOptions): ResolvedOptions {
  const parsed = parseOptions(schema, options);
  if (parsed.sink === SinkMode.kvssink && parsed.isolation === Isolation.none) {
    throw new OptionsError('sink', 'kvssink does not run with isolation none', {
      fix: 'Use isolation process, or sink putmedia: kvssink blocks, leaks and has global settings.',
    });
  }
  return {
    ...parsed,
    region: regionOf(parsed.region),
    ...(parsed.logger === undefined
      ? {}
      : { gstDebug: parsed.gstDebug ?? gstDebugOfEnvironment() }),
    retry: { minDelayMs: 1_000, maxDelayMs: 60_000, slowDelayMs: 300_000, ...parsed.retry },
    spoolDir: spoolRoot(parsed.spoolDir),
    clientId: parsed.clientId ?? `kvs-bridge-${parsed.stream}`.slice(0, 256),
  };
}

/** What GST_DEBUG asks for, or GStreamer's errors. */
function gstDebugOfEnvironment(): string {
  const text = process.env['GST_DEBUG'] ?? '';
  return gstDebugPattern.test(text) ? text : '1';
}

/** Where kvssink is to connect to; undefined when it is not to be used. */
export function kvsSinkPlace({
  sink,
  region,
  endpoint,
  ca,
}: ResolvedOptions): KvsSinkPlace | undefined {
  if (sink === SinkMode.putmedia) return undefined;
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca }),
  };
}
