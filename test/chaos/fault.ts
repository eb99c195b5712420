/** What a fault of the chaos suite is. */
import type { SeededRandom } from '../support/random.js';
import type { World } from './world.js';

/** Mends what a fault broke. */
export type Mend = () => Promise<void> | void;

export interface ChaosFault {
  /** Short and stable: `--only` selects by parts of it. */
  readonly id: string;
  /** As the table has it. */
  readonly title: string;
  readonly group: string;
  /** How long it lasts before it is mended, in seconds. @defaultValue nothing is mended */
  readonly seconds?: readonly [min: number, max: number];
  /** Why it cannot happen on this machine. */
  readonly missing?: (world: World) => string | undefined;
  readonly inject: (world: World, random: SeededRandom) => Promise<Mend | undefined>;
}

/** Needs a network that can be unplugged. */
export function withoutCables({ network }: World): string | undefined {
  return network.noNamespaces === undefined ? undefined : 'needs network namespaces';
}

/** One that lasts until it is mended. */
export function lasting(
  described: Omit<ChaosFault, 'inject'>,
  inject: (world: World, random: SeededRandom) => Promise<Mend> | Mend,
): ChaosFault {
  return { ...described, inject: async (world, random) => inject(world, random) };
}

/** One that happens at once and needs no mending. */
export function instant(
  group: string,
  id: string,
  title: string,
  act: (world: World, random: SeededRandom) => Promise<void> | void,
): ChaosFault {
  return {
    id,
    title,
    group,
    inject: async (world, random) => {
      await act(world, random);
      return undefined;
    },
  };
}
