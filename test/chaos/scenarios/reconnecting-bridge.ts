/** A bridge whose media process is killed whenever media arrives; tells what its own process holds. */
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { KvsBridge } from '../../../lib/index.js';
import type { Holdings, ReconnectOrder } from './reconnects.js';

// Whoever started us is gone: so is what we are for.
process.once('disconnect', () => process.exit(0));
process.once('message', (order: ReconnectOrder) => void reconnect(order));

async function reconnect({ connection, stream, count, interval }: ReconnectOrder): Promise<void> {
  const bridge = new KvsBridge({
    ...{ ...connection, stream, audio: 'none', sink: 'putmedia' },
    retry: { minDelayMs: 10, maxDelayMs: 20, slowDelayMs: 1_000 },
  });
  let reconnects = 0;
  bridge.on('track', () => {
    if (reconnects >= count) return;
    reconnects += 1;
    const { mediaProcessId } = bridge;
    if (mediaProcessId !== undefined) process.kill(mediaProcessId, 'SIGKILL');
  });
  await bridge.start();
  for (let next = interval; next <= count; next += interval) {
    while (reconnects < next) await once(bridge, 'state');
    process.send?.(await holdings());
  }
  await bridge.stop();
  process.disconnect();
}

async function holdings(): Promise<Holdings> {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const status = await readFile('/proc/self/status', 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    threads: number('Threads'),
    descriptors: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    memoryKb: number('VmRSS'),
    heapKb: Math.round((heapUsed + external) / 1_024),
  };
}
