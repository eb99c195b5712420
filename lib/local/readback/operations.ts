/** The operations that read stored media. */
import type { Registry } from '../control/registry.js';
import type { Operation } from '../http/operation.js';
import type { StorageLimits } from '../options.js';
import type { FragmentStore } from '../store/fragment-store.js';
import { archiveOperations } from './archive.js';
import { getMediaOperation } from './get-media.js';

/** What the operations read from. */
export interface ReadbackOptions {
  readonly registry: Registry;
  readonly store: FragmentStore;
  readonly limits: StorageLimits;
}

/** The operations, to be served. */
export function readbackOperations(options: ReadbackOptions): Operation[] {
  return [getMediaOperation(options), ...archiveOperations(options)];
}
