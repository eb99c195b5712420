/** Rows of Chromium. */
import { BrowserSource, missingBrowser } from './browser-source.js';
import { matrixRow, nothingLost } from './row.js';
import type { MatrixRow } from './row.js';

const video = { width: 640, height: 360, frameRate: 30 } as const;

function browserRow(codec: string, audio: boolean): MatrixRow {
  return matrixRow<BrowserSource>({
    id: `chromium-${codec.toLowerCase().replace('.', '')}-${audio ? 'av' : 'video-only'}`,
    title: `${codec} ${audio ? 'and Opus' : 'without sound'}`,
    group: 'Chromium',
    durationMs: 15_000,
    hasTestPicture: false,
    expect: nothingLost,
    kvs: { tls: 'self-signed' },
    missing: missingBrowser,
    start: (stack) => BrowserSource.start(stack, { audio, video }),
  });
}

export const browserRows: readonly MatrixRow[] = [
  browserRow('H.264', true),
  browserRow('H.264', false),
];
