/** One run: a world, faults one after another, and the comparison at the end. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readGaps } from '../../lib/index.js';
import type { GapReport } from '../../lib/index.js';
import { SeededRandom } from '../support/random.js';
import { readArchive } from './archive.js';
import { recorded } from './bridge-command.js';
import { claimsIn, readClaims } from './claim.js';
import type { Claim } from './claim.js';
import type { BridgeCounts, BridgeEvent } from './bridge-runner.js';
import type { ChaosFault } from './fault.js';
import { judge } from './verdict.js';
import type { Verdict } from './verdict.js';
import { World } from './world.js';
import type { WorldOptions } from './world.js';

/** What a run is made of. */
export interface RunOptions extends WorldOptions {
  /** Those that may happen; each happens before one happens again. */
  readonly faults: readonly ChaosFault[];
  /** About how long all of it takes, in seconds. @defaultValue as long as each fault once does */
  readonly durationSeconds?: number;
  readonly signal: AbortSignal;
}

/** A fault as it happened; times are seconds since the first fragment was persisted. */
export interface HappenedFault {
  readonly id: string;
  readonly atSeconds: number;
  /** Until it was mended. */
  readonly heldSeconds: number;
  /** Until the bridge told of anything. */
  readonly detectedMs?: number;
  /** From its end until media that came after that was persisted. */
  readonly recoveredMs?: number;
}

export interface RunReport {
  readonly seed: number;
  readonly network: string;
  readonly schedule: readonly HappenedFault[];
  readonly skipped: readonly string[];
  readonly bridge: BridgeCounts;
  readonly verdict: Verdict;
  readonly ledger: GapReport;
  /** What the bridge told at the end. */
  readonly lastWords: string;
  readonly problems: readonly string[];
}

const eventsFolder = 'build/chaos';
/** How long anything may take to come back. */
const recoveryLimitMs = 90_000;
const startLimitMs = 60_000;
const stopLimitMs = 40_000;
/** Quiet time before and after each fault, in ms. */
const quietMs = [1_500, 4_000] as const;
/** Of a run's duration; in the rest the last fault ends, and the archive is read. */
const faultsShare = 0.9;
/** The bridge counts what it receives once a second. */
const lastCountMs = 2_500;

export async function runFaults(options: RunOptions): Promise<RunReport> {
  const { seed, signal } = options;
  const random = new SeededRandom(seed);
  const endMs = Date.now() + (options.durationSeconds ?? Infinity) * 1_000 * faultsShare;
  await using world = await World.start(options);
  const missing = options.faults.flatMap((fault) => {
    const reason = fault.missing?.(world);
    return reason === undefined ? [] : [[fault, reason] as const];
  });
  const possible = options.faults.filter((fault) => !missing.some(([other]) => other === fault));
  const schedule: HappenedFault[] = [];
  const problems = [...(await startRecording(world))];
  const startedAtMs = Date.now();
  for (const fault of order(possible, random, options.durationSeconds !== undefined)) {
    if (problems.length > 0 || Date.now() >= endMs) break;
    await delay(random.whole(...quietMs), undefined, { signal });
    const happened = await happen(fault, world, random, startedAtMs, signal);
    schedule.push(happened);
    if (happened.recoveredMs === undefined) {
      problems.push(`${fault.id} is not recovered from: ${world.bridge.state}`);
    }
  }
  await delay(random.whole(...quietMs), undefined, { signal });
  const skipped = missing.map(([{ id }, reason]) => `${id}: ${reason}`);
  return await conclude(world, { seed, schedule, skipped, problems });
}

/** Starts master and bridge. @returns what is wrong, once media is persisted or that takes too long */
export async function startRecording(world: World): Promise<readonly string[]> {
  await world.master.start();
  world.bridge.start();
  const first = await world.bridge.next(isPersisted, startLimitMs);
  return first === undefined ? ['nothing was persisted at the start'] : [];
}

/**
 * Ends everything in order, and compares.
 *
 * @param earlierClaims - what the ledger said in between
 */
export async function conclude(
  world: World,
  told: Pick<RunReport, 'seed' | 'schedule' | 'skipped' | 'problems'>,
  earlierClaims: readonly Claim[] = [],
): Promise<RunReport> {
  await world.master.stop();
  await delay(lastCountMs);
  const exitCode = await world.bridge.stop(stopLimitMs);
  const problems = [...told.problems];
  if (exitCode !== 0) problems.push(`the bridge ended with ${String(exitCode)}`);
  await world.stopKvs(true);
  const { stream } = recorded;
  const archive = await readArchive(world.dataDir, stream);
  const claims = [
    ...claimsIn(world.bridge.events),
    ...(await readClaims(world.stateFolder, stream)),
    ...earlierClaims,
  ];
  const ledger = await readGaps({ stream, spoolDir: world.stateFolder });
  const verdict = judge({
    streams: world.master.streams,
    archive,
    claims,
    received: world.bridge.counts.received,
    ledger,
  });
  problems.push(...verdict.problems);
  const { noNamespaces, hasNetem } = world.network;
  return {
    ...told,
    network:
      noNamespaces === undefined
        ? `network namespaces, ${hasNetem ? 'tc netem' : 'loss and delay in user space'}`
        : `loopback (${noNamespaces})`,
    bridge: world.bridge.counts,
    verdict,
    ledger,
    lastWords: await lastWords(world, told.seed),
    problems,
  };
}

/** Each once, then, if that is wanted, again in another order, for ever. */
function* order(
  faults: readonly ChaosFault[],
  random: SeededRandom,
  isEndless: boolean,
): Generator<ChaosFault> {
  do yield* random.shuffled(faults);
  while (isEndless && faults.length > 0);
}

async function happen(
  fault: ChaosFault,
  world: World,
  random: SeededRandom,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<HappenedFault> {
  const { bridge } = world;
  const beganAtMs = Date.now();
  const firstSign = bridge.events.length;
  const mend = await fault.inject(world, random);
  if (mend !== undefined) {
    const [min, max] = fault.seconds ?? [0, 0];
    await delay(random.whole(min * 1_000, max * 1_000), undefined, { signal });
    await mend();
  }
  const mendedAtMs = mend === undefined ? beganAtMs : Date.now();
  const isBack = (event: BridgeEvent): boolean =>
    isPersisted(event) && endOf(event) >= mendedAtMs && bridge.state === 'recording';
  const back = await bridge.next(isBack, recoveryLimitMs);
  const sign = bridge.events.slice(firstSign).find(isSign);
  return {
    id: fault.id,
    atSeconds: (beganAtMs - startedAtMs) / 1_000,
    heldSeconds: (mendedAtMs - beganAtMs) / 1_000,
    ...(sign === undefined ? {} : { detectedMs: sign.atMs - beganAtMs }),
    ...(back === undefined ? {} : { recoveredMs: back.atMs - mendedAtMs }),
  };
}

export function isPersisted({ event, videoFrames }: BridgeEvent): boolean {
  return event === 'persisted' && Number(videoFrames) > 0;
}

/** When the last frame of a persisted fragment was received, by the machine's own clock. */
export function endOf({ atMs, lagMs }: BridgeEvent): number {
  return atMs - Number(lagMs);
}

/** The first word of the bridge that something is not as it was. */
function isSign({ event, state, kind }: BridgeEvent): boolean {
  if (event === 'state') return state !== 'recording';
  if (event === 'signaling') return kind !== 'connected';
  return ['warning', 'lost', 'gap', 'exit', 'error'].includes(event);
}

/** The last of what the bridge told; all of it goes to a file. */
async function lastWords({ bridge }: World, seed: number): Promise<string> {
  const told = bridge.events
    .filter(({ event }) => event !== 'totals' && event !== 'spool')
    .map((event) => JSON.stringify(event));
  const file = join(eventsFolder, `events-${String(seed)}.jsonl`);
  await mkdir(eventsFolder, { recursive: true });
  await writeFile(file, `${told.join('\n')}\n`);
  return [...told.slice(-40), bridge.errors, `everything it told is in ${file}`].join('\n');
}
