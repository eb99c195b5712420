/** Files of this package, wherever the tests are started from. */
import { fileURLToPath } from 'node:url';

/** @param name - relative to infra/ */
export function inInfra(name: string): string {
  return fileURLToPath(new URL(`../../../${name}`, import.meta.url));
}
