/** KVS misbehaves, or is not there. */
import type { ChaosFault } from '../fault.js';
import { instant, lasting, withoutCables } from '../fault.js';
import type { KvsFault } from '../kvs-process.js';

const group = 'KVS';

/** More calls than any of them makes. */
const everyCall = 100_000;

function answered(
  id: string,
  title: string,
  seconds: readonly [number, number],
  fault: KvsFault,
): ChaosFault {
  return lasting({ id, title, group, seconds }, async (world) => {
    await world.kvsFault(fault);
    return () => world.clearKvsFaults();
  });
}

function ackError(errorId: number, name: string): ChaosFault {
  return instant(group, `ack-${String(errorId)}`, `ERROR ACK ${String(errorId)} ${name}`, (world) =>
    world.kvsFault({ name: 'failAck', argument: { errorId } }),
  );
}

export const kvsFaults: readonly ChaosFault[] = [
  answered('calls-500', 'Every call is answered with 500', [6, 15], {
    name: 'failCalls',
    argument: { times: everyCall },
  }),
  answered('calls-throttled', 'Every call is throttled', [6, 15], {
    name: 'failCalls',
    argument: { status: 429, type: 'ThrottlingException', times: everyCall },
  }),
  ackError(4000, 'STREAM_READ_ERROR'),
  ackError(4003, 'MAX_CONNECTION_DURATION_REACHED'),
  ackError(5000, 'INTERNAL_ERROR'),
  ackError(5001, 'ARCHIVAL_ERROR'),
  answered('persisted-late', 'PERSISTED comes 5 s late', [8, 12], {
    name: 'delayPersisted',
    argument: { delayMs: 5_000 },
  }),
  answered('persisted-withheld', 'PERSISTED never comes', [18, 25], {
    name: 'delayPersisted',
    argument: { delayMs: Infinity },
  }),
  answered('put-media-stalled', 'Uploads are not read', [12, 25], {
    name: 'stallPutMedia',
    argument: {},
  }),
  instant(group, 'put-media-cut', 'Uploads are reset', (world) =>
    world.kvsFault({ name: 'cutPutMedia', argument: {} }),
  ),
  lasting(
    {
      id: 'put-media-cut-often',
      title: 'Uploads are reset every second',
      group,
      seconds: [6, 10],
    },
    (world) => {
      const timer = setInterval(() => {
        void world.kvsFault({ name: 'cutPutMedia', argument: {} }).catch(() => undefined);
      }, 1_000);
      return () => {
        clearInterval(timer);
      };
    },
  ),
  instant(group, 'kvs-restarted', 'KVS is killed and started', async (world) => {
    await world.stopKvs();
    await world.startKvs();
  }),
  lasting(
    {
      id: 'kvs-refused',
      title: 'KVS is down: connections are refused',
      group,
      seconds: [8, 20],
    },
    async (world) => {
      await world.stopKvs();
      return () => world.startKvs();
    },
  ),
  lasting(
    {
      id: 'kvs-hung',
      title: 'KVS hangs (SIGSTOP)',
      group,
      seconds: [8, 20],
    },
    (world) => {
      world.signalKvs('SIGSTOP');
      return () => {
        world.signalKvs('SIGCONT');
      };
    },
  ),
  lasting(
    {
      id: 'kvs-unplugged',
      title: 'KVS is unreachable: packets vanish',
      group,
      seconds: [8, 20],
      missing: withoutCables,
    },
    async ({ network }) => {
      await network.setCable('kvs', false);
      return () => network.setCable('kvs', true);
    },
  ),
  lasting(
    {
      id: 'kvs-path-stalled',
      title: 'Connections to KVS stand, nothing passes',
      group,
      seconds: [8, 20],
    },
    async (world) => {
      await world.setKvsPath('stall');
      return () => world.setKvsPath('pass');
    },
  ),
  lasting(
    {
      id: 'kvs-path-slow',
      title: 'KVS is 400 ms away',
      group,
      seconds: [8, 12],
    },
    async (world) => {
      await world.setKvsPath('pass', 400);
      return () => world.setKvsPath('pass');
    },
  ),
  instant(group, 'kvs-path-cut', 'Every connection to KVS is reset', (world) => world.cutKvsPath()),
];
