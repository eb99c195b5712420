/** One forced reconnect after the other: what the bridge's process holds must not grow. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestMaster } from '../../../lib/index.js';
import { LocalStack } from '../../support/local-stack.js';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from './scenario.js';

/** What a process holds while one session records; the least of some looks. */
export interface Holdings {
  /** After how many. */
  readonly reconnects: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly timers: number;
  /** Resident memory after a collection, without the pages of files, in KiB. */
  readonly memoryKb: number;
  /** Of it, what JavaScript's objects take, buffers included, in KiB. */
  readonly heapKb: number;
}

/** What a {@link fork}ed bridge is to do. */
export interface ReconnectOrder {
  readonly connection: LocalStack['connection'];
  readonly stream: string;
  /** After how many reconnects it tells what it holds; it ends after the last. */
  readonly sampleAfter: readonly number[];
}

/** What was held each time, for who wants to see a curve. */
const samplesFile = 'build/chaos/reconnects.jsonl';
const defaultCount = 1_000;
const firstSample = 10;
const interval = 50;
const picture = { width: 480, height: 270, videoBitrateBps: 200_000, audio: false } as const;

/** What memory may grow by in KiB: once, as Node compiles what is called often, and with each reconnect. */
const maxGrowthKb = { once: 2_048, each: 2 } as const;

export const reconnects: Scenario = {
  id: 'reconnects',
  title: 'A thousand forced reconnects',
  story:
    'The media process is killed as soon as media arrives, a thousand times; each is another ' +
    'process. What the process of the bridge holds at the end, while a session records, is ' +
    'compared with what it held after the tenth reconnect. It must be as many threads, descriptors ' +
    'and timers. Memory after a collection may have grown by 2 MiB, as Node compiles what is called ' +
    'often, and by 2 KiB with each reconnect.',
  run,
};

async function run({ count = defaultCount, signal }: ScenarioOptions): Promise<ScenarioOutcome> {
  await using stack = await LocalStack.start();
  await using master = new TestMaster({ ...stack.connection, ...picture });
  await master.start();
  mkdirSync(dirname(samplesFile), { recursive: true });
  rmSync(samplesFile, { force: true });
  const { connection, stream } = stack;
  const order: ReconnectOrder = { connection, stream, sampleAfter: samplesOf(count) };
  const bridge = fork(fileURLToPath(new URL('reconnecting-bridge.js', import.meta.url)), {
    execArgv: ['--expose-gc'],
    signal,
  });
  const samples: Holdings[] = [];
  bridge.on('message', (sample) => {
    samples.push(sample as Holdings);
    appendFileSync(samplesFile, `${JSON.stringify(sample)}\n`);
  });
  bridge.send(order);
  const [exitCode] = (await once(bridge, 'exit')) as [number | null];
  const [first] = samples;
  const last = samples.at(-1);
  if (exitCode !== 0 || first === undefined || last === undefined) {
    return { findings: [], problems: [`the bridge ended with ${String(exitCode)}`] };
  }
  const counts = ['threads', 'descriptors', 'timers'] as const;
  const sizes = ['memoryKb', 'heapKb'] as const;
  const told = (name: keyof Holdings): readonly number[] => [
    first[name],
    last[name],
    Math.max(...samples.map((each) => each[name])),
  ];
  const growthKb = (name: (typeof sizes)[number]): number => last[name] - first[name];
  const since = last.reconnects - first.reconnects;
  return {
    findings: [
      { what: 'reconnects', value: String(last.reconnects) },
      ...counts.map((name) => ({
        what: `${name} after the tenth, at the end, at most`,
        value: told(name).join(', '),
      })),
      ...sizes.map((name) => ({
        what: `${name === 'heapKb' ? 'JavaScript heap' : 'resident memory without files'} after the tenth, at the end, at most`,
        value: told(name).map(mib).join(', '),
      })),
    ],
    problems: [
      ...counts
        .filter((name) => last[name] !== first[name])
        .map((name) => `${name} differ: ${String(first[name])}, then ${String(last[name])}`),
      ...sizes
        .filter((name) => growthKb(name) > maxGrowthKb.once + maxGrowthKb.each * since)
        .map((name) => `${name} grow: ${String(first[name])}, then ${String(last[name])}`),
    ],
  };
}

/** The tenth, then now and then, and the last. */
function samplesOf(count: number): readonly number[] {
  const later = Array.from(
    { length: Math.floor(count / interval) },
    (_, index) => (index + 1) * interval,
  );
  return [...new Set([firstSample, ...later, Math.max(firstSample, count)])];
}

function mib(kib: number): string {
  return `${(kib / 1_024).toFixed(1)} MiB`;
}
