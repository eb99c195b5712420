/** How metrics are called. */

/** What every metric's name begins with. */
const prefix = 'kvs_bridge_';

/** Labels of everything that belongs to one Bridge. */
export const bridgeLabels = ['channel', 'stream'] as const;

/** A name with the prefix that all metrics share. */
export function fullName(name: string): string {
  return `${prefix}${name}`;
}
