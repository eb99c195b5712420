/** Every option of every command, each in one place. */
import { AudioMode, DoctorTopic, Isolation, SinkMode, VideoCodecName } from '../../lib/index.js';
import {
  InvalidValue,
  OptionGroup,
  flag,
  httpUrl,
  listOf,
  oneOf,
  pairs,
  seconds,
  text,
  timeOrAge,
  whole,
} from './option-spec.js';
import type { OptionSpec, ValueOf } from './option-spec.js';
import { httpOptions } from './http-options.js';
import { defaultLocalPort, localOptions } from './local-options.js';
import { outputOptions } from './output-options.js';
import { publishOptions } from './publish-options.js';

const doctorTopics = Object.values(DoctorTopic);
const videoCodecNames = Object.values(VideoCodecName);

const defaultLocalUrl = `http://127.0.0.1:${defaultLocalPort}`;

/** A URL, or a yes that stands for the default one, or a no. */
function localUrl(value: string): string | undefined {
  try {
    return flag(value) ? defaultLocalUrl : undefined;
  } catch {
    // Not a yes or no.
  }
  try {
    return httpUrl(value);
  } catch {
    throw new InvalidValue(`a URL like ${defaultLocalUrl}, true or false`);
  }
}

/** A STUN server's URI; null for none. */
function stunServer(value: string): string | null {
  if (value === 'none') return null;
  if (/^stuns?:[^\s/]+$/.test(value)) return value;
  throw new InvalidValue('a URI like stun:stun.example.com:3478, or none');
}

/** The options by their config-file names. */
export const optionTable = {
  channel: {
    kind: 'value',
    value: 'name',
    description: 'Signaling channel, by name or ARN',
    group: OptionGroup.what,
    parse: text,
  },
  stream: {
    kind: 'value',
    value: 'name',
    description: 'Video stream that keeps the media',
    group: OptionGroup.what,
    parse: text,
  },
  createStream: {
    kind: 'switch',
    description: 'Create the stream when it does not exist',
    group: OptionGroup.what,
    parse: flag,
    default: false,
  },
  retentionHours: {
    kind: 'value',
    value: 'hours',
    description: 'Retention of a stream that is created, 1 to 87600',
    group: OptionGroup.what,
    parse: whole(1, 87_600),
    default: 24,
  },
  clientId: {
    kind: 'value',
    value: 'id',
    description: 'Our viewer id on the channel; one per recorder',
    group: OptionGroup.what,
    parse: text,
    defaultText: 'kvs-bridge-<stream>',
  },
  createChannel: {
    kind: 'switch',
    description: 'Create the channel when it does not exist',
    group: OptionGroup.source,
    parse: flag,
    default: false,
  },
  source: {
    kind: 'value',
    value: 'kind',
    description: 'What to send: test (a picture with clock and frame counter, a tone)',
    group: OptionGroup.source,
    parse: oneOf('test'),
    default: 'test',
  },
  width: {
    kind: 'value',
    value: 'pixels',
    description: 'Picture width, 480 to 3840',
    group: OptionGroup.source,
    parse: whole(480, 3_840),
    default: 1_280,
  },
  height: {
    kind: 'value',
    value: 'pixels',
    description: 'Picture height, 64 to 2160',
    group: OptionGroup.source,
    parse: whole(64, 2_160),
    default: 720,
  },
  fps: {
    kind: 'value',
    value: 'frames',
    description: 'Frames a second, 1 to 60',
    group: OptionGroup.source,
    parse: whole(1, 60),
    default: 30,
  },
  bitrate: {
    kind: 'value',
    value: 'bps',
    description: 'Video bitrate in bit/s, 64000 to 20000000',
    group: OptionGroup.source,
    parse: whole(64_000, 20_000_000),
    default: 2_000_000,
  },
  ...publishOptions,
  region: {
    kind: 'value',
    value: 'region',
    description: 'AWS region of channel and stream',
    group: OptionGroup.aws,
    alsoEnv: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    parse: text,
  },
  local: {
    kind: 'optional',
    value: 'url',
    description: `Use a local KVS (kvs-bridge local) with its credentials, region us-east-1, no STUN; alone it means ${defaultLocalUrl}`,
    group: OptionGroup.aws,
    parse: localUrl,
  },
  endpoint: {
    kind: 'value',
    value: 'url',
    description: "Control plane to use instead of AWS's, such as a VPC endpoint",
    group: OptionGroup.aws,
    parse: httpUrl,
  },
  caFile: {
    kind: 'value',
    value: 'file',
    description: 'PEM file of the certificate authority to trust at the endpoint',
    group: OptionGroup.aws,
    parse: text,
  },
  videoCodecs: {
    kind: 'value',
    value: 'list',
    description: `Video codecs to ask for, the preferred one first: some of ${videoCodecNames.join(',')}; all but h264 and h265 are encoded again, as H.264`,
    group: OptionGroup.media,
    parse: listOf(...videoCodecNames),
    default: videoCodecNames,
    defaultText: videoCodecNames.join(','),
  },
  audio: {
    kind: 'value',
    value: 'mode',
    description: 'Sound: aac (all becomes AAC), source (PCMU and PCMA stay as they are) or none',
    group: OptionGroup.media,
    parse: oneOf(...Object.values(AudioMode)),
    default: AudioMode.aac,
  },
  sound: {
    kind: 'off',
    description: 'Send no sound',
    group: OptionGroup.source,
    parse: flag,
    default: true,
  },
  fragmentSeconds: {
    kind: 'value',
    value: 'seconds',
    description: 'Fragment length aimed at, 1 to 18',
    group: OptionGroup.media,
    parse: seconds(1, 18),
    default: 2_000,
    defaultText: '2',
  },
  jitterBufferMs: {
    kind: 'value',
    value: 'ms',
    description: 'How long to wait for late packets, 0 to 5000',
    group: OptionGroup.media,
    parse: whole(0, 5_000),
    default: 300,
  },
  bufferMb: {
    kind: 'value',
    value: 'MB',
    description: 'Most media (10^6 bytes) to hold in memory while KVS cannot be reached, 1 to 4096',
    group: OptionGroup.media,
    parse: whole(1, 4_096),
    default: 64,
  },
  mediaMemoryMb: {
    kind: 'value',
    value: 'MB',
    description:
      'Most memory (10^6 bytes) of a media process besides the buffer, from 64; 0: any. Beyond, it is replaced',
    group: OptionGroup.media,
    parse: whole(0, 65_536),
    default: 1_024,
  },
  spoolDir: {
    kind: 'value',
    value: 'folder',
    description:
      'Folder for what outlives the bridge: media that is not stored yet, and the ledger of gaps',
    group: OptionGroup.media,
    parse: text,
    defaultText: '$STATE_DIRECTORY, $XDG_STATE_HOME/kvs-bridge or ~/.local/state/kvs-bridge',
  },
  spoolMb: {
    kind: 'value',
    value: 'MB',
    description: 'Most media (10^6 bytes) to keep on disk until it is stored; 0: in memory only',
    group: OptionGroup.media,
    parse: whole(0, 1_000_000),
    default: 1_024,
  },
  tags: {
    kind: 'pairs',
    value: 'name=value',
    description: 'Metadata to keep with every fragment; may be repeated, up to 6',
    group: OptionGroup.media,
    parse: pairs,
  },
  relayOnly: {
    kind: 'switch',
    description: 'Connect through TURN relays only',
    group: OptionGroup.media,
    parse: flag,
    default: false,
  },
  stunServer: {
    kind: 'value',
    value: 'uri',
    description: 'STUN server, or none',
    group: OptionGroup.media,
    parse: stunServer,
    defaultText: "the region's KVS STUN server",
  },
  isolation: {
    kind: 'value',
    value: 'mode',
    description: 'Run the media pipeline in a child process, or in this one: process or none',
    group: OptionGroup.media,
    parse: oneOf(Isolation.process, Isolation.none),
    default: Isolation.process,
  },
  sink: {
    kind: 'value',
    value: 'kind',
    description:
      'What stores the media: kvssink (from AWS), putmedia (built in), or auto: kvssink where GStreamer finds it',
    group: OptionGroup.media,
    parse: oneOf(SinkMode.auto, SinkMode.kvssink, SinkMode.putmedia),
    default: SinkMode.auto,
  },
  masterTimeout: {
    kind: 'value',
    value: 'seconds',
    description: "Give up without a master's first answer within this; 0 waits for ever",
    group: OptionGroup.time,
    parse: seconds(0, 86_400),
    default: 0,
    defaultText: '0',
  },
  persistTimeout: {
    kind: 'value',
    value: 'seconds',
    description: 'Without a PERSISTED for this long the state is degraded, 1 to 600',
    group: OptionGroup.time,
    parse: seconds(1, 600),
    default: 15_000,
    defaultText: '15',
  },
  drainTimeout: {
    kind: 'value',
    value: 'seconds',
    description: 'How long to wait for the last PERSISTED at the end, 0 to 600',
    group: OptionGroup.time,
    parse: seconds(0, 600),
    default: 10_000,
    defaultText: '10',
  },
  exitOnFatal: {
    kind: 'switch',
    description: 'End where only a person can help, instead of waiting for one',
    group: OptionGroup.time,
    parse: flag,
    default: false,
  },
  ...httpOptions,
  since: {
    kind: 'value',
    value: 'time',
    description: 'Only gaps that ended after this: an ISO 8601 time, or how long ago, such as 90m',
    group: OptionGroup.what,
    parse: timeOrAge,
    defaultText: 'everything',
  },
  only: {
    kind: 'value',
    value: 'list',
    description: `Look at these alone: some of ${doctorTopics.join(',')}`,
    group: OptionGroup.what,
    parse: listOf(...doctorTopics),
    defaultText: 'all',
  },
  ...localOptions,
  duration: {
    kind: 'value',
    value: 'seconds',
    description: 'Stop after this much media, 1 to 86400; without it, at Ctrl-C',
    group: OptionGroup.demo,
    parse: seconds(1, 86_400),
  },
  recording: {
    kind: 'value',
    value: 'file',
    description: 'Where the recording is written',
    group: OptionGroup.demo,
    parse: text,
    defaultText: 'recordings/<time>.mkv',
  },
  ...outputOptions,
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;

/** How log lines are written. */
export type LogFormat = ValueOf<(typeof optionTable)['logFormat']>;

/** The name of an option, as a config file writes it. */
export type OptionName = keyof typeof optionTable;

/** The values of some options. */
export type Values<K extends OptionName> = {
  readonly [Name in K]: ValueOf<(typeof optionTable)[Name]>;
};
