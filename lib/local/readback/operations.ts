/** The operations that read stored media. */
import type { Operation } from '../http/operation.js';
import { archiveOperations } from './archive.js';
import { getMediaOperation } from './get-media.js';
import type { ReadbackOptions } from './readback-options.js';

/** The operations, to be served. */
export function readbackOperations(options: ReadbackOptions): Operation[] {
  return [getMediaOperation(options), ...archiveOperations(options)];
}
