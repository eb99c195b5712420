/** Rows of Chromium. */
import { BrowserSource, missingBrowser } from './browser-source.js';
import type { BrowserSettings } from './browser-source.js';
import { matrixRow, nothingLost, pauseOf } from './row.js';
import type { MatrixRow } from './row.js';

const video = { width: 640, height: 360, frameRate: 30 } as const;
const media = { audio: true, video } as const;

function browserRow(
  id: string,
  title: string,
  settings: BrowserSettings,
  rest: Partial<MatrixRow<BrowserSource>> = {},
): MatrixRow {
  return matrixRow<BrowserSource>({
    id: `chromium-${id}`,
    title,
    group: 'Chromium',
    durationMs: 15_000,
    hasTestPicture: false,
    expect: nothingLost,
    kvs: { tls: 'self-signed' },
    missing: missingBrowser,
    start: (stack) => BrowserSource.start(stack, settings),
    ...rest,
  });
}

/** With the full offer, of which the browser takes the codec that it prefers. */
function codecRows(
  title: string,
  videoCodec: NonNullable<BrowserSettings['videoCodec']>,
): readonly MatrixRow[] {
  const id = videoCodec.toLowerCase();
  return [
    browserRow(`${id}-av`, `${title} and Opus`, { media, videoCodec }),
    browserRow(`${id}-video-only`, `${title} without sound`, {
      media: { audio: false, video },
      videoCodec,
    }),
  ];
}

export const chromiumRows: readonly MatrixRow[] = [
  ...codecRows('H.264', 'H264'),
  ...codecRows('VP8', 'VP8'),
  ...codecRows('VP9', 'VP9'),
  ...codecRows('AV1', 'AV1'),
  browserRow('audio-only', 'Opus without a picture', { media: { audio: true, video: false } }),
  browserRow(
    'muted',
    'microphone muted at the start, opened later',
    { media, muted: true },
    { script: [{ atMs: 5_000, act: ({ browser }) => browser.setMuted(false) }] },
  ),
  browserRow(
    'camera-off-on',
    'camera off for 4 s',
    { media },
    {
      expect: pauseOf(4_000),
      script: [
        { atMs: 4_000, act: ({ browser }) => browser.setCamera('off') },
        { atMs: 8_000, act: ({ browser }) => browser.setCamera('on') },
      ],
    },
  ),
  browserRow(
    'share',
    'screen shared in place of the camera, and back',
    { media },
    {
      script: [
        {
          atMs: 4_000,
          act: ({ browser }) => browser.share({ width: 800, height: 600, frameRate: 15 }),
        },
        { atMs: 9_000, act: ({ browser }) => browser.share(null) },
      ],
    },
  ),
];
