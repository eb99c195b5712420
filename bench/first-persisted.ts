/** How long it takes from `start` to the first PERSISTED fragment, step by step, on loopback. */
import { Command } from './command.js';
import { median } from './process-usage.js';
import { startBenchStack } from './stack.js';

const runs = 10;

/** Median time of each step since the start of the Bridge, in ms, in the order of the steps. */
export type StepMedians = ReadonlyMap<string, number>;

/** Starts the command ten times, one after the other. */
export async function measureFirstPersisted(): Promise<StepMedians> {
  await using stack = await startBenchStack();
  const times = new Map<string, number[]>();
  for (let run = 0; run < runs; run += 1) {
    await using bridge = new Command([
      'start',
      '--channel',
      stack.channel,
      '--stream',
      stack.stream,
      '--local',
      stack.url,
    ]);
    await bridge.event(({ event, step }) => event === 'step' && step === 'persisted');
    for (const { event, step, elapsedMs } of bridge.events) {
      if (event !== 'step' || typeof step !== 'string') continue;
      times.set(step, [...(times.get(step) ?? []), Number(elapsedMs)]);
    }
  }
  return new Map([...times].map(([step, values]) => [step, median(values)]));
}
