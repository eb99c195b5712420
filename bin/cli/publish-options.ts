/** Options of `kvs-bridge publish` alone: what it sends, and how that differs from a browser's. */
import { publishedAudioCodecs, publishedVideoCodecs } from '../../lib/index.js';
import { OptionGroup, flag, oneOf, whole } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';

/** A part of the option table. */
export const publishOptions = {
  video: {
    kind: 'off',
    description: 'Send no picture',
    group: OptionGroup.source,
    parse: flag,
    default: true,
  },
  videoCodec: {
    kind: 'value',
    value: 'codec',
    description: `Codec of the picture: ${publishedVideoCodecs.join(', ')}`,
    group: OptionGroup.source,
    parse: oneOf(...publishedVideoCodecs),
    default: 'h264',
  },
  audioCodec: {
    kind: 'value',
    value: 'codec',
    description: `Codec of the tone: ${publishedAudioCodecs.join(', ')}`,
    group: OptionGroup.source,
    parse: oneOf(...publishedAudioCodecs),
    default: 'opus',
  },
  bFrames: {
    kind: 'switch',
    description: 'Send H.264 with B-frames, as hardware cameras may',
    group: OptionGroup.source,
    parse: flag,
    default: false,
  },
  clockSkewPpm: {
    kind: 'value',
    value: 'ppm',
    description: 'Send as a device whose clock runs fast by this, 0 to 200000',
    group: OptionGroup.source,
    parse: whole(0, 200_000),
    default: 0,
  },
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;
