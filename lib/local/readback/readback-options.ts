import type { Registry } from '../control/registry.js';
import type { StorageLimits } from '../options.js';
import type { FragmentStore } from '../store/fragment-store.js';

/** What the operations read from. */
export interface ReadbackOptions {
  readonly registry: Registry;
  readonly store: FragmentStore;
  readonly limits: StorageLimits;
}
