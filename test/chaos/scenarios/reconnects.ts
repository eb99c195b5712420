/** One forced reconnect after the other: what the bridge's process holds must not grow. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestMaster } from '../../../lib/index.js';
import { LocalStack } from '../../support/local-stack.js';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from './scenario.js';

/** What a process holds. */
export interface Holdings {
  readonly threads: number;
  readonly descriptors: number;
  readonly timers: number;
  /** Resident memory after a collection, in KiB. */
  readonly memoryKb: number;
  /** Of it, what JavaScript's objects take, buffers included, in KiB. */
  readonly heapKb: number;
}

/** What {@link fork}ed bridge is to do. */
export interface ReconnectOrder {
  readonly connection: LocalStack['connection'];
  readonly stream: string;
  readonly count: number;
  /** After how many reconnects what it holds is told, each time. */
  readonly interval: number;
}

/** What was held each time, for who wants to see a curve. */
const samplesFile = 'build/chaos/reconnects.jsonl';
const defaultCount = 1_000;
const interval = 10;
const picture = { width: 480, height: 270, videoBitrateBps: 200_000, audio: false } as const;

/** By how much each may differ: a session more or less is open just then; a heap breathes. */
const tolerances: Readonly<Record<keyof Holdings, number>> = {
  threads: 0,
  descriptors: 3,
  timers: 3,
  memoryKb: 8 * 1_024,
  heapKb: 4 * 1_024,
};

export const reconnects: Scenario = {
  id: 'reconnects',
  title: 'A thousand forced reconnects',
  story:
    'The media process is killed as soon as media arrives, a thousand times; what the process of ' +
    'the bridge holds at the end is compared with what it held after the tenth. A session more or ' +
    'less may be open at either moment; resident memory may differ by 8 MiB, the heap by 4 MiB: the ' +
    'ledger keeps some 1 KB of each session in memory, until its file has 1 MB and is compacted.',
  run,
};

async function run({ count = defaultCount, signal }: ScenarioOptions): Promise<ScenarioOutcome> {
  await using stack = await LocalStack.start();
  await using master = new TestMaster({ ...stack.connection, ...picture });
  await master.start();
  mkdirSync(dirname(samplesFile), { recursive: true });
  rmSync(samplesFile, { force: true });
  const { connection, stream } = stack;
  const order: ReconnectOrder = { connection, stream, count, interval };
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
  const most = (name: keyof Holdings): number => Math.max(...samples.map((each) => each[name]));
  const grown = (Object.keys(tolerances) as (keyof Holdings)[]).filter(
    (name) => last[name] > first[name] + tolerances[name],
  );
  return {
    findings: [
      { what: 'reconnects', value: String(samples.length * interval) },
      ...(['threads', 'descriptors', 'timers'] as const).map((name) => ({
        what: `${name} after the tenth, at the end, at most`,
        value: [first[name], last[name], most(name)].join(', '),
      })),
      ...(['memoryKb', 'heapKb'] as const).map((name) => ({
        what: `${name === 'heapKb' ? 'JavaScript heap' : 'resident memory'} after the tenth, at the end, at most`,
        value: [first[name], last[name], most(name)].map(mib).join(', '),
      })),
    ],
    problems: grown.map((name) => `${name} grow: ${String(first[name])} to ${String(last[name])}`),
  };
}

function mib(kib: number): string {
  return `${(kib / 1_024).toFixed(1)} MiB`;
}
