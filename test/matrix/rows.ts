/** Every row of the matrix, in the order of the table. */
import { browserRows } from './browser-rows.js';
import { publisherRows } from './publisher-rows.js';
import type { MatrixRow } from './row.js';

export const rows: readonly MatrixRow[] = [...browserRows, ...publisherRows];
