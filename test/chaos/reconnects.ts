/**
 * Forces one reconnect after the other and compares what the bridge's process holds at the end with
 * what it held after the tenth: `node dist/test/chaos/reconnects.js [count]`, 1000 by default.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import { LocalStack } from '../support/local-stack.js';

/** What a process holds. */
interface Holdings {
  readonly threads: number;
  readonly descriptors: number;
  readonly timers: number;
  /** Resident memory after a collection, in KiB. */
  readonly memoryKb: number;
}

const warmUp = 10;
const picture = { width: 480, height: 270, videoBitrateBps: 200_000, audio: false } as const;
/** Growth that a heap which breathes may show, in KiB. */
const memoryToleranceKb = 24 * 1024;

/** The bridge's process: kills its media process whenever media arrives, and reports. */
async function reconnect(): Promise<void> {
  const { connection, stream, count } = JSON.parse(process.env['RECONNECTS'] ?? '{}') as {
    connection: LocalStack['connection'];
    stream: string;
    count: number;
  };
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
  for (let next = 1; next <= count; next++) {
    while (reconnects < next) await once(bridge, 'state');
    if (next % warmUp === 0) process.send?.({ reconnects: next, ...(await holdings()) });
  }
  await bridge.stop();
  process.disconnect();
}

async function holdings(): Promise<Holdings> {
  globalThis.gc?.();
  const status = await readFile('/proc/self/status', 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    threads: number('Threads'),
    descriptors: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    memoryKb: number('VmRSS'),
  };
}

async function main(count: number): Promise<void> {
  await using stack = await LocalStack.start();
  await using master = new TestMaster({ ...stack.connection, ...picture });
  await master.start();
  const child = fork(fileURLToPath(import.meta.url), ['bridge'], {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      RECONNECTS: JSON.stringify({ connection: stack.connection, stream: stack.stream, count }),
    },
  });
  const samples: (Holdings & { readonly reconnects: number })[] = [];
  child.on('message', (message) => {
    const sample = message as (typeof samples)[number];
    samples.push(sample);
    process.stdout.write(`${JSON.stringify(sample)}\n`);
  });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  assert.equal(exitCode, 0);
  const [first] = samples;
  const last = samples.at(-1);
  assert.ok(first !== undefined && last !== undefined);
  assert.ok(last.threads <= first.threads, 'threads grow');
  // One session more or less is open at the moment of a sample.
  assert.ok(last.descriptors <= first.descriptors + 4, 'descriptors grow');
  assert.ok(last.timers <= first.timers + 4, 'timers grow');
  assert.ok(last.memoryKb <= first.memoryKb + memoryToleranceKb, 'memory grows');
}

if (process.argv[2] === 'bridge') await reconnect();
else await main(Number(process.argv[2] ?? 1_000));
