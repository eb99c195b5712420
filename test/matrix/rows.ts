/** Every row of the matrix, in the order of the table. */
import { aiortcRows } from './aiortc-rows.js';
import { chromiumRows } from './browser-rows.js';
import { lossyRows } from './lossy-rows.js';
import { publisherRows } from './publisher-rows.js';
import type { MatrixRow } from './row.js';

export const rows: readonly MatrixRow[] = [
  ...chromiumRows,
  ...aiortcRows,
  ...publisherRows,
  ...lossyRows,
];
