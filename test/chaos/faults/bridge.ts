/** The bridge's own processes, and what its machine does to it. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChaosFault } from '../fault.js';
import { instant, lasting, withoutCables } from '../fault.js';

const group = 'Bridge';
const machine = "The bridge's machine";

/** More than the disk has. */
const ballastBytes = 80_000_000;

const clockStepSeconds = 600;

export const bridgeFaults: readonly ChaosFault[] = [
  instant(group, 'bridge-killed', 'SIGKILL to the bridge', (world) => {
    world.bridge.signal('SIGKILL');
  }),
  instant(group, 'bridge-terminated', 'SIGTERM to the bridge', (world) => {
    world.bridge.signal('SIGTERM');
  }),
  instant(group, 'media-killed', 'SIGKILL to the media process', (world) => {
    world.bridge.signal('SIGKILL', 'media');
  }),
  instant(group, 'media-crashed', 'SIGSEGV to the media process', (world) => {
    world.bridge.signal('SIGSEGV', 'media');
  }),
  instant(group, 'media-hung', 'SIGSTOP to the media process', (world) => {
    world.bridge.signal('SIGSTOP', 'media');
  }),
  instant(group, 'all-killed', 'SIGKILL to the bridge and its media process', (world) => {
    world.bridge.killAll();
  }),
  lasting(
    {
      id: 'all-killed-kvs-away',
      title: 'The same while KVS is down',
      group,
      seconds: [8, 15],
    },
    async (world) => {
      await world.stopKvs();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      world.bridge.killAll();
      return () => world.startKvs();
    },
  ),
  lasting(
    {
      id: 'bridge-unplugged',
      title: 'Unplugged from everything',
      group: machine,
      seconds: [8, 20],
      missing: withoutCables,
    },
    async ({ network }) => {
      await network.setCable('bridge', false);
      return () => network.setCable('bridge', true);
    },
  ),
  instant(machine, 'keys-rotated', "The role's keys change; the old ones are refused", (world) =>
    world.rotateKeys(),
  ),
  lasting(
    {
      id: 'role-down',
      title: 'The keys are refused and their endpoint is down',
      group: machine,
      seconds: [8, 20],
    },
    async (world) => {
      await world.rotateKeys();
      await world.stopRole();
      await world.cutKvsPath();
      return () => world.startRole();
    },
  ),
  lasting(
    {
      id: 'disk-full',
      title: 'The disk is full',
      group: machine,
      seconds: [8, 12],
      missing: ({ hasSpoolDisk }) =>
        hasSpoolDisk ? undefined : 'needs the right to mount a tmpfs',
    },
    async ({ stateFolder }) => {
      const ballast = join(stateFolder, 'ballast');
      // It ends with ENOSPC, which is the point.
      await writeFile(ballast, Buffer.alloc(ballastBytes)).catch(() => undefined);
      return () => rm(ballast);
    },
  ),
  clockStep('clock-forward', 'The clock steps 10 min forward, and back', clockStepSeconds),
  clockStep('clock-back', 'The clock steps 10 min back, and forward', -clockStepSeconds),
];

function clockStep(id: string, title: string, offsetSeconds: number): ChaosFault {
  return lasting(
    { id, title, group: machine, seconds: [8, 12], missing: ({ clock }) => clock.missing },
    ({ clock }) => {
      clock.step(offsetSeconds);
      return () => {
        clock.step(0);
      };
    },
  );
}
