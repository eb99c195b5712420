/** Rows of the project's own test master. */
import type { TestMasterOptions } from '../../lib/index.js';
import { PublisherSource } from './publisher-source.js';
import { matrixRow, nothingLost } from './row.js';
import type { MatrixRow } from './row.js';

const group = 'Own test master';

/** A row that differs in what the master sends, and in what else is given. */
export function publisherRow(
  id: string,
  title: string,
  options: Partial<TestMasterOptions>,
  rest: Partial<MatrixRow<PublisherSource>> = {},
): MatrixRow {
  return matrixRow<PublisherSource>({
    id: `own-${id}`,
    title,
    group,
    durationMs: 10_000,
    hasTestPicture: true,
    expect: nothingLost,
    start: (stack) => PublisherSource.start(stack, options),
    ...rest,
  });
}

export const publisherRows: readonly MatrixRow[] = [
  publisherRow('h264-av', 'H.264 and Opus', {}),
  publisherRow('h264-video-only', 'H.264 without sound', { audio: false }),
];
