/** KVS is away for minutes while media comes at 2 Mbit/s. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BridgeEvent } from '../bridge-runner.js';
import { conclude, isPersisted, startRecording } from '../run.js';
import { World } from '../world.js';
import { recordingFindings } from './scenario.js';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from './scenario.js';

const defaultSeconds = 300;
const caughtUpLimitMs = 60_000;
const liveLagMs = 5_000;
/** How long the lag is watched afterwards. */
const watchedMs = 20_000;
/** Encoders keep to their bitrate only so well. */
const leastMbps = 1.9;

export const outage: Scenario = {
  id: 'outage',
  title: 'Five minutes without KVS at 2 Mbit/s',
  story:
    'KVS is killed while media comes at 2 Mbit/s, and started after five minutes, on the same disk. ' +
    'Nothing may be lost; within a minute what waited is to be stored, and live media from then on ' +
    'less than 5 s after it was received.',
  run,
};

async function run({
  seed,
  seconds = defaultSeconds,
  signal,
}: ScenarioOptions): Promise<ScenarioOutcome> {
  const picture = { width: 640, height: 360, videoBitrateBps: 2_200_000 };
  await using world = await World.start({ seed, picture, diskMb: 512 });
  const problems = [...(await startRecording(world))];
  await delay(5_000, undefined, { signal });
  await world.stopKvs();
  await delay(seconds * 1_000, undefined, { signal });
  await world.startKvs();
  const endedAtMs = Date.now();
  const caughtUp = await world.bridge.next(
    (event) => isPersisted(event) && lagOf(event) < liveLagMs,
    2 * caughtUpLimitMs,
  );
  const tookMs = (caughtUp?.atMs ?? Infinity) - endedAtMs;
  if (tookMs > caughtUpLimitMs) problems.push(`caught up only after ${String(tookMs)} ms`);
  const live = world.bridge.events.length;
  await delay(watchedMs, undefined, { signal });
  const lagMs = Math.max(...world.bridge.events.slice(live).filter(isPersisted).map(lagOf));
  if (!(lagMs < liveLagMs)) problems.push(`then ${String(lagMs)} ms behind live`);
  const report = await conclude(world, { seed, schedule: [], skipped: [], problems });
  const { holes } = report.verdict;
  const mbps = bitrateMbps(world.bridge.events);
  return {
    report,
    problems: [
      ...report.problems,
      ...(holes.length === 0 ? [] : [`${String(holes.length)} gaps`]),
      ...(mbps >= leastMbps ? [] : [`media came at only ${mbps.toFixed(2)} Mbit/s`]),
    ],
    findings: [
      { what: 'KVS away for', value: `${String(seconds)} s` },
      { what: 'media stored', value: `${mbps.toFixed(2)} Mbit/s` },
      ...recordingFindings(report),
      { what: 'caught up after', value: `${(tookMs / 1_000).toFixed(1)} s` },
      { what: 'behind live at most, from then on', value: `${(lagMs / 1_000).toFixed(1)} s` },
      { what: 'gaps', value: String(holes.length) },
    ],
  };
}

function lagOf({ lagMs }: BridgeEvent): number {
  return Number(lagMs);
}

/** Of the whole recording, sound included. */
function bitrateMbps(events: readonly BridgeEvent[]): number {
  const bytes = Number(events.findLast(({ event }) => event === 'stopped')?.['bytesPersisted']);
  const durationMs = events
    .filter(isPersisted)
    .reduce((sum, event) => sum + Number(event['durationMs']), 0);
  return (bytes * 8) / durationMs / 1_000;
}
