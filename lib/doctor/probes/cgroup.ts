/** What the kernel lets this process's control group have (cgroups(7), v2 and v1). */
import { dirname, join } from 'node:path';
import { readText } from '../machine.js';
import type { Machine } from '../machine.js';

/** Limits; undefined where there is none. */
export interface Cgroup {
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
}

const mount = 'sys/fs/cgroup';

/** The tightest limits from this process's group up to the root. */
export async function readCgroup(machine: Machine): Promise<Cgroup> {
  const membership = (await readText(machine, 'proc/self/cgroup')) ?? '';
  const groups = new Map(
    membership.split('\n').map((line) => {
      const [, controllers = '', path = '/'] = line.split(':');
      return [controllers, path] as const;
    }),
  );
  const unified = groups.get('') ?? '/';
  const controller = (name: string): string =>
    [...groups].find(([names]) => names.split(',').includes(name))?.[1] ?? '/';
  const limits = await Promise.all([
    ...above(unified).map(async (path) => ({
      memoryBytes: amount(await readText(machine, join(mount, path, 'memory.max'))),
      cpus: share(await readText(machine, join(mount, path, 'cpu.max'))),
    })),
    ...above(controller('memory')).map(async (path) => ({
      memoryBytes: amount(
        await readText(machine, join(mount, 'memory', path, 'memory.limit_in_bytes')),
      ),
      cpus: undefined,
    })),
    ...above(controller('cpu')).map(async (path) => {
      const folder = join(mount, 'cpu', path);
      const quota = (await readText(machine, join(folder, 'cpu.cfs_quota_us'))) ?? '';
      const period = (await readText(machine, join(folder, 'cpu.cfs_period_us'))) ?? '';
      return { memoryBytes: undefined, cpus: share(`${quota} ${period}`) };
    }),
  ]);
  return {
    memoryBytes: least(limits.map(({ memoryBytes }) => memoryBytes)),
    cpus: least(limits.map(({ cpus }) => cpus)),
  };
}

/** A path and those above it, up to the root. */
function above(path: string): readonly string[] {
  const paths = [path];
  for (let next = path; next !== '/' && next !== '.'; paths.push(next)) next = dirname(next);
  return paths;
}

/** Version 1 has no word for "no limit", but a number that no machine has. */
function amount(text: string | undefined): number | undefined {
  const value = /^\d+$/.test(text ?? '') ? Number(text) : NaN;
  return value > 0 && value < 2 ** 60 ? value : undefined;
}

/** `quota period`, both in µs; a quota of `max` or -1 is none. */
function share(text: string | undefined): number | undefined {
  const [, quota, period] = /^(\d+) (\d+)$/.exec(text ?? '') ?? [];
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : undefined;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
