/** How long it takes from `start` to the first PERSISTED fragment, step by step, on loopback. */
import { startRecording } from './command.js';
import { median } from './process-usage.js';
import type { Programs } from './programs.js';
import { Service } from './service.js';

const runs = 10;

/** Median time of each step since the start of the Bridge, in ms, in the order of the steps. */
export type StepMedians = ReadonlyMap<string, number>;

/** Starts the command ten times, one after the other. */
export async function measureFirstPersisted(programs: Programs): Promise<StepMedians> {
  await using service = await Service.start({ senderExecutable: programs.sender });
  const times = new Map<string, number[]>();
  for (let run = 0; run < runs; run += 1) {
    await using bridge = startRecording(service, 0);
    await bridge.event(({ event, step }) => event === 'step' && step === 'persisted');
    for (const { event, step, elapsedMs } of bridge.events) {
      if (event !== 'step' || typeof step !== 'string') continue;
      times.set(step, [...(times.get(step) ?? []), Number(elapsedMs)]);
    }
  }
  return new Map([...times].map(([step, values]) => [step, median(values)]));
}
