/** Rows of the project's own test master. */
import type { KvsBridgeOptions, SenderShape, TestMasterOptions } from '../../lib/index.js';
import { ErrorCode } from '../../lib/index.js';
import { PublisherSource } from './publisher-source.js';
import { matrixRow, nothingLost, pauseOf } from './row.js';
import type { MatrixRow } from './row.js';

type Rest = Partial<MatrixRow<PublisherSource>>;

/** A row that differs in what the master sends, and in what else is given. */
function publisherRow(
  group: string,
  id: string,
  title: string,
  options: Partial<TestMasterOptions> = {},
  rest: Rest = {},
): MatrixRow {
  return matrixRow<PublisherSource>({
    id: `own-${id}`,
    title,
    group,
    durationMs: 10_000,
    hasTestPicture: options.video !== false,
    expect: nothingLost,
    start: (stack) => PublisherSource.start(stack, options),
    ...rest,
  });
}

const codecs = 'Own test master: codecs';
const tracks = 'Own test master: tracks that come and go';
const shapes = 'Own test master: sizes and shapes';
const clocks = 'Own test master: clocks';
const keyframes = 'Own test master: keyframes';

/** What x265 encodes in real time on two cores that do more than that. */
const light = { width: 480, height: 270, frameRate: 15, videoBitrateBps: 300_000 } as const;

/** A row of a sound format, as it comes or as AAC. */
function soundRow(
  audioCodec: 'pcma' | 'pcmu',
  audio: NonNullable<KvsBridgeOptions['audio']>,
  as: string,
): MatrixRow {
  const title = `H.264 and ${audioCodec.toUpperCase()}, stored as ${as}`;
  return publisherRow(
    codecs,
    `${audioCodec}-${audio}`,
    title,
    { audioCodec },
    { bridge: { audio } },
  );
}

function shapeRow(id: string, title: string, shape: SenderShape, rest: Rest = {}): MatrixRow {
  return publisherRow(shapes, id, title, { shape }, rest);
}

function clockRow(id: string, title: string, shape: SenderShape): MatrixRow {
  return publisherRow(clocks, id, title, { shape }, { durationMs: 20_000 });
}

export const publisherRows: readonly MatrixRow[] = [
  publisherRow(codecs, 'h264-av', 'H.264 and Opus'),
  publisherRow(codecs, 'h264-video-only', 'H.264 without sound', { audio: false }),
  publisherRow(codecs, 'audio-only', 'Opus without a picture', { video: false }),
  publisherRow(codecs, 'h265-av', 'H.265 and Opus', { ...light, videoCodec: 'h265' }),
  publisherRow(codecs, 'vp8-av', 'VP8 and Opus', { videoCodec: 'vp8' }),
  publisherRow(codecs, 'vp9-av', 'VP9 and Opus', { videoCodec: 'vp9' }),
  soundRow('pcmu', 'source', 'it comes'),
  soundRow('pcmu', 'aac', 'AAC'),
  soundRow('pcma', 'source', 'it comes'),
  soundRow('pcma', 'aac', 'AAC'),

  publisherRow(
    tracks,
    'muted-at-start',
    'microphone muted at the start, opened later',
    {},
    {
      start: async (stack) => {
        const source = await PublisherSource.start(stack);
        source.master.setMuted(true);
        return source;
      },
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.setMuted(false);
          },
        },
      ],
    },
  ),
  publisherRow(
    tracks,
    'muted-later',
    'microphone muted under way',
    {},
    {
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.setMuted(true);
          },
        },
      ],
    },
  ),
  publisherRow(
    tracks,
    'sound-late',
    'sound that comes 4 s later',
    {},
    {
      start: async (stack) => {
        const source = await PublisherSource.start(stack);
        source.master.setSending({ video: true, audio: false });
        return source;
      },
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.setSending({ video: true, audio: true });
          },
        },
      ],
    },
  ),
  publisherRow(
    tracks,
    'sound-ends',
    'sound that ends under way',
    {},
    {
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.setSending({ video: true, audio: false });
          },
        },
      ],
    },
  ),
  publisherRow(
    tracks,
    'camera-off-on',
    'camera off for 2 s',
    {},
    {
      // From 3 s on the sound is recorded alone, and from 4 s on the silence is a fault.
      expect: pauseOf(2_000),
      durationMs: 12_000,
      script: [
        {
          atMs: 3_000,
          act: ({ master }) => {
            master.setSending({ video: false, audio: true });
          },
        },
        {
          atMs: 5_000,
          act: ({ master }) => {
            master.setSending({ video: true, audio: true });
          },
        },
      ],
    },
  ),
  publisherRow(tracks, 'opus-dtx', 'Opus with DTX', { shape: { opusDtx: true } }),
  publisherRow(
    tracks,
    'ssrc-change',
    'replaceTrack with another SSRC',
    {},
    {
      // The last packets under the old SSRC may be on their way when its jitter buffer ends, and the
      // first under the new one may come before its keyframe.
      expect: { ...nothingLost, maxLostFrames: 2, maxMissingFrames: 2 },
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.changeVideoSsrc();
          },
        },
      ],
    },
  ),

  publisherRow(
    shapes,
    'resolution',
    'H.264, resolution changed twice',
    {},
    {
      script: [
        {
          atMs: 3_000,
          act: ({ master }) => {
            master.setSize(960, 540);
          },
        },
        {
          atMs: 7_000,
          act: ({ master }) => {
            master.setSize(480, 270);
          },
        },
      ],
    },
  ),
  publisherRow(
    shapes,
    'orientation',
    'H.264, phone turned',
    { width: 640, height: 480 },
    {
      script: [
        {
          atMs: 4_000,
          act: ({ master }) => {
            master.setSize(480, 640);
          },
        },
      ],
    },
  ),
  publisherRow(shapes, 'odd-size', 'VP8, 641x361', { videoCodec: 'vp8', width: 641, height: 361 }),
  shapeRow(
    'b-frames',
    'H.264 with B-frames',
    { bFrames: true },
    // Frames arrive in decode order: when the end cuts them off, the last shown is there already.
    { expect: { ...nothingLost, maxMissingFrames: 2 } },
  ),
  shapeRow('slices', 'H.264, several slices to a picture', { slices: true }),
  shapeRow('sei-aud', 'H.264 with SEI and access unit delimiters', { auSei: true }),
  shapeRow('in-band', 'H.264, parameter sets in band only', { parameterSets: 'inband' }),
  shapeRow('out-of-band', 'H.264, parameter sets in the SDP only', { parameterSets: 'outofband' }),
  shapeRow('no-vui', 'H.264, SPS without VUI', { stripVui: true }),

  clockRow('fast-clock', "sender's clock 200 ppm fast", { rtpSkewPpm: 200, ntpSkewPpm: 200 }),
  clockRow('slow-clock', "sender's clock 200 ppm slow", { rtpSkewPpm: -200, ntpSkewPpm: -200 }),
  clockRow('ntp-step', "sender's wall clock steps by 1 s", {
    ntpStepMs: 1_000,
    stepAfterMs: 8_000,
  }),
  clockRow('ntp-step-back', "sender's wall clock steps back by 1 s", {
    ntpStepMs: -1_000,
    stepAfterMs: 8_000,
  }),

  publisherRow(
    keyframes,
    'fir-only',
    'PLI ignored, FIR obeyed',
    { shape: { keyframes: 'onFir' } },
    {
      durationMs: 25_000,
    },
  ),
  publisherRow(
    keyframes,
    'never',
    'never a keyframe',
    { audio: false, shape: { keyframes: 'never' } },
    {
      expect: { ...nothingLost, maxLostFrames: Infinity, endsWith: [ErrorCode.noKeyframe] },
      durationMs: 60_000,
    },
  ),
];
