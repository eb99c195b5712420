/** Longer stories than a fault, each with its own measure: `npm run chaos -- --scenario NAME`. */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../support/random.js';
import { conclude, isPersisted, startRecording } from './run.js';
import type { RunReport } from './run.js';
import { World } from './world.js';

/** How a scenario is to run. */
export interface ScenarioOptions {
  readonly seed: number;
  /** Of the story: what is not said is the scenario's own. */
  readonly seconds?: number;
  readonly count?: number;
  readonly signal: AbortSignal;
}

/** A story and what came of it. */
export interface ScenarioReport extends RunReport {
  /** What it measured, in words. */
  readonly findings: string;
}

/** A scenario by its name. */
export const scenarios = { limits: runLimits, kills: runKills, outage: runOutage } as const;

const unscheduled = { schedule: [], skipped: [] } as const;

/** Of the hour that the service's limits are made for. */
const scale = 60;

/**
 * Hours in minutes: PutMedia connections end after 45 s for 45 min, signaling connections after 60 s
 * for an hour, keys and TURN credentials long before either. Nothing of it may be seen in the media.
 */
async function runLimits({
  seed,
  seconds = 3_600 / scale + 60,
  signal,
}: ScenarioOptions): Promise<ScenarioReport> {
  await using world = await World.start({
    seed,
    limits: {
      ingest: { maxConnectionDurationMs: (45 * 60_000) / scale },
      signaling: { connectionDurationMs: 3_600_000 / scale, goAwayGraceMs: 5_000 },
    },
    // The least that the service grants.
    turnTtlSeconds: 30,
  });
  await world.setKeyLifetime(90_000);
  const problems = [...(await startRecording(world))];
  await delay(seconds * 1_000, undefined, { signal });
  const report = await conclude(world, { seed, ...unscheduled, problems });
  const { holes } = report.verdict;
  const moved = world.bridge.events.filter(({ event }) => event === 'signaling').length;
  if (holes.length > 0) problems.push(`${String(holes.length)} gaps`);
  return {
    ...report,
    problems: [...report.problems, ...problems],
    findings: `${String((seconds * scale) / 3_600)} simulated hours, ${String(moved)} changes of the signaling connection, ${String(holes.length)} gaps`,
  };
}

/** Kills everything at random moments of starting, recording and catching up. */
async function runKills({ seed, count = 200, signal }: ScenarioOptions): Promise<ScenarioReport> {
  const random = new SeededRandom(seed);
  await using world = await World.start({ seed });
  const problems = [...(await startRecording(world))];
  for (let killed = 0; killed < count; killed += 1) {
    await delay(random.whole(0, 5_000), undefined, { signal });
    world.bridge.signal('SIGKILL', 'media');
    world.bridge.signal('SIGKILL');
    if (!random.happens(20)) continue;
    await world.stopKvs();
    await world.startKvs();
  }
  const last = await world.bridge.next(isPersisted, 60_000);
  if (last === undefined) problems.push('nothing was persisted after the last kill');
  const report = await conclude(world, { seed, ...unscheduled, problems });
  const { starts } = report.bridge;
  return { ...report, findings: `${String(count)} kills, ${String(starts)} starts` };
}

const caughtUpLimitMs = 60_000;
const liveLagMs = 5_000;

/** KVS is away for minutes while media comes at 2 Mbit/s. */
async function runOutage({
  seed,
  seconds = 300,
  signal,
}: ScenarioOptions): Promise<ScenarioReport> {
  await using world = await World.start({ seed, videoBitrateBps: 2_000_000, diskMb: 512 });
  const problems = [...(await startRecording(world))];
  await delay(5_000, undefined, { signal });
  await world.stopKvs();
  await delay(seconds * 1_000, undefined, { signal });
  await world.startKvs();
  const endedAtMs = Date.now();
  const caughtUp = await world.bridge.next(
    (event) => isPersisted(event) && Number(event['lagMs']) < liveLagMs,
    2 * caughtUpLimitMs,
  );
  const tookMs = (caughtUp?.atMs ?? Infinity) - endedAtMs;
  if (tookMs > caughtUpLimitMs) problems.push(`caught up only after ${String(tookMs)} ms`);
  await delay(5_000, undefined, { signal });
  const report = await conclude(world, { seed, ...unscheduled, problems });
  const { holes } = report.verdict;
  return {
    ...report,
    problems: [...report.problems, ...(holes.length === 0 ? [] : [`${String(holes.length)} gaps`])],
    findings: `KVS away for ${String(seconds)} s, caught up ${String(tookMs)} ms after its return`,
  };
}
