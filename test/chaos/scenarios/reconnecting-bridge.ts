/** A bridge whose media process is killed whenever media arrives; tells what its own process holds. */
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { KvsBridge } from '../../../lib/index.js';
import type { Holdings, ReconnectOrder } from './reconnects.js';

/** How often it is looked what is held, of which the least counts: connections linger and files are written. */
const looks = 15;
const betweenLooksMs = 200;

// Whoever started us is gone: so is what we are for.
process.once('disconnect', () => process.exit(0));
process.once('message', (order: ReconnectOrder) => void reconnect(order));

async function reconnect({ connection, stream, sampleAfter }: ReconnectOrder): Promise<void> {
  const bridge = new KvsBridge({
    ...{ ...connection, stream, audio: 'none', sink: 'putmedia' },
    retry: { minDelayMs: 10, maxDelayMs: 20, slowDelayMs: 1_000 },
  });
  let media = once(bridge, 'track');
  await bridge.start();
  const count = Math.max(...sampleAfter);
  for (let reconnects = 0; ; reconnects += 1) {
    await media;
    if (sampleAfter.includes(reconnects)) process.send?.(await sample(bridge, reconnects));
    if (reconnects === count) break;
    media = once(bridge, 'track');
    const { mediaProcessId } = bridge;
    if (mediaProcessId !== undefined) process.kill(mediaProcessId, 'SIGKILL');
  }
  await bridge.stop();
  process.disconnect();
}

/** While one session records and none other is left. */
async function sample(bridge: KvsBridge, reconnects: number): Promise<Holdings> {
  for (let isOwn = false; !isOwn;) {
    const [fragment] = (await once(bridge, 'persisted')) as [{ readonly recovered?: boolean }];
    isOwn = fragment.recovered !== true;
  }
  let least = await holdings();
  for (let look = 1; look < looks; look += 1) {
    await delay(betweenLooksMs);
    const now = await holdings();
    least = Object.fromEntries(
      Object.entries(now).map(([name, value]) => [
        name,
        Math.min(value, least[name as keyof typeof now]),
      ]),
    ) as typeof now;
  }
  return { reconnects, ...least };
}

async function holdings(): Promise<Omit<Holdings, 'reconnects'>> {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const status = await readFile('/proc/self/status', 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    threads: number('Threads'),
    descriptors: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    memoryKb: number('RssAnon'),
    heapKb: Math.round((heapUsed + external) / 1_024),
  };
}
