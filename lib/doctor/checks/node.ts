/** Node itself. */
import { finding } from '../catalog/catalog.js';
import type { Check } from '../check.js';

/** As package.json's `engines` has it. */
const needed = '20.19.0';

/** Whether version `a` is `b` or newer; both of three numbers. */
export function isAtLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) =>
    version.split('.').map((part) => parseInt(part, 10)),
  );
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export const nodeCheck: Check = {
  topic: 'node',
  run: ({ machine: { nodeVersion: version } }) =>
    Promise.resolve([
      isAtLeast(version, needed)
        ? finding('node.ok', { version })
        : finding('node.too-old', { version, needed }),
    ]),
};
