/** What a test master sends, and in which shape. */
import * as v from 'valibot';
import type { SenderShape } from '../media/native.js';
import { rules } from '../util/options.js';

export type { SenderShape } from '../media/native.js';

/** Video codecs that a test master can send. AV1 needs GStreamer's rtpav1pay. */
export const publishedVideoCodecs = ['h264', 'h265', 'vp8', 'vp9', 'av1'] as const;
/** One of {@link publishedVideoCodecs}. */
export type PublishedVideoCodec = (typeof publishedVideoCodecs)[number];

/** Audio codecs that a test master can send. */
export const publishedAudioCodecs = ['opus', 'pcmu', 'pcma'] as const;
/** One of {@link publishedAudioCodecs}. */
export type PublishedAudioCodec = (typeof publishedAudioCodecs)[number];

const skewPpm = v.pipe(
  v.number('must be a number'),
  v.minValue(-200_000, 'must be at least -200000'),
  v.maxValue(200_000, 'must be at most 200000'),
);
const dayMs = 86_400_000;

const shapeSchema = v.strictObject({
  bFrames: v.exactOptional(rules.flag),
  slices: v.exactOptional(rules.flag),
  auSei: v.exactOptional(rules.flag),
  parameterSets: v.exactOptional(
    v.picklist(['inband', 'outofband'], 'must be inband or outofband'),
  ),
  stripVui: v.exactOptional(rules.flag),
  keyframes: v.exactOptional(
    v.picklist(
      ['onRequest', 'onFir', 'firstOnly', 'never'],
      'must be onRequest, onFir, firstOnly or never',
    ),
  ),
  opusDtx: v.exactOptional(rules.flag),
  leftTone: v.exactOptional(rules.flag),
  rtpSkewPpm: v.exactOptional(skewPpm),
  ntpSkewPpm: v.exactOptional(skewPpm),
  rtpStepMs: v.exactOptional(rules.whole(-dayMs, dayMs)),
  ntpStepMs: v.exactOptional(rules.whole(-dayMs, dayMs)),
  stepAfterMs: v.exactOptional(rules.whole(0, dayMs)),
  firstFrame: v.exactOptional(rules.whole(0, 2 ** 24 - 1)),
});

/** The checks of a test master's options about what it sends. */
export const senderSchema = {
  width: v.exactOptional(rules.whole(480, 3_840), 1_280),
  height: v.exactOptional(rules.whole(64, 2_160), 720),
  frameRate: v.exactOptional(rules.whole(1, 60), 30),
  videoBitrateBps: v.exactOptional(rules.whole(64_000, 20_000_000), 2_000_000),
  video: v.exactOptional(rules.flag, true),
  audio: v.exactOptional(rules.flag, true),
  videoCodec: v.exactOptional(
    v.picklist(publishedVideoCodecs, `must be one of ${publishedVideoCodecs.join(', ')}`),
    'h264',
  ),
  audioCodec: v.exactOptional(
    v.picklist(publishedAudioCodecs, `must be one of ${publishedAudioCodecs.join(', ')}`),
    'opus',
  ),
  shape: v.exactOptional(shapeSchema, {}),
  numberedSinceMs: v.exactOptional(rules.whole(0, Number.MAX_SAFE_INTEGER)),
} as const;

/** So many numbers pass in a second: as many as frames at most. */
const numbersPerSecond = 64;

/**
 * The number of the first frame that a viewer gets now, if frames are numbered since `sinceMs`; it
 * begins again at 0 after some 72 hours.
 */
export function firstFrameOf(sinceMs: number, nowMs: number): number {
  return Math.floor(((nowMs - sinceMs) / 1_000) * numbersPerSecond) & (2 ** 24 - 1);
}

/** What a test master sends; see the members of TestMasterOptions. */
export interface SenderOptions {
  /** Picture width, 480 to 3840; odd ones with VP8, VP9 and AV1 alone. @defaultValue 1280 */
  readonly width?: number;
  /** Picture height, 64 to 2160; odd ones with VP8, VP9 and AV1 alone. @defaultValue 720 */
  readonly height?: number;
  /** Frames a second, 1 to 60. @defaultValue 30 */
  readonly frameRate?: number;
  /** Video bitrate in bit/s, 64000 to 20000000. @defaultValue 2000000 */
  readonly videoBitrateBps?: number;
  /** Send the picture. @defaultValue true */
  readonly video?: boolean;
  /** Send the tone. @defaultValue true */
  readonly audio?: boolean;
  /** Codec of the picture. A viewer that does not offer it gets none. @defaultValue 'h264' */
  readonly videoCodec?: PublishedVideoCodec;
  /** Codec of the tone. A viewer that does not offer it gets none. @defaultValue 'opus' */
  readonly audioCodec?: PublishedAudioCodec;
  /** Peculiarities of real senders, for tests of receivers. @defaultValue none */
  readonly shape?: SenderShape;
  /**
   * Since when frames are numbered, in Unix epoch ms: the first frame of each viewer then has a
   * number above those of all viewers before, of other masters with the same value too.
   *
   * @defaultValue each viewer's begin at 0, or at `shape.firstFrame`
   */
  readonly numberedSinceMs?: number;
}
