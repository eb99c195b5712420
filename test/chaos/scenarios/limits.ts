/** Hours of the service's limits, ten times as fast. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Rotations } from '../bridge-command.js';
import type { BridgeEvent } from '../bridge-runner.js';
import { conclude, startRecording } from '../run.js';
import { World } from '../world.js';
import { recordingFindings } from './scenario.js';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from './scenario.js';

/** TURN credentials last 5 min, and the service grants no less than 30 s. */
const scale = 10;
const hourMs = 3_600_000 / scale;
const defaultHours = 3;

/** The service's (KVS: PutMedia, "Service quotas", GetIceServerConfig). */
const uploadLimitMs = (45 * 60_000) / scale;
const signalingLimitMs = hourMs;
const goAwayGraceMs = 60_000 / scale;
const turnTtlSeconds = 300 / scale;
/** From the end of a PutMedia request to the next, with time to spare. */
const reconnectMs = 5_000;
/** What a busy test machine keeps waiting is not lost. */
const jitterBufferMs = 1_000;

/** The bridge's own, scaled: each sooner than the service's. */
const rotations: Rotations = {
  signaling: { lifetimeMs: (55 * 60_000) / scale },
  uploadLifetimeMs: (40 * 60_000) / scale,
};

const world =
  'Ten times as fast as the service: PutMedia requests end after 45 min, signaling connections ' +
  'after 1 h, TURN credentials after 5 min. The recording goes through a TURN ' +
  'server, with a jitter buffer of 1 s, and must not have a gap.';

export const limits: Scenario = {
  id: 'limits',
  title: "Hours within the service's limits",
  story: `${world} Keys hold for 1 h, the next ones come after half of it. The bridge's own times are scaled as well: it replaces each connection first.`,
  run: (options) => run(options, rotations),
};

export const enforcedLimits: Scenario = {
  id: 'limits-enforced',
  title: "Hours in which the service's limits strike",
  story: `${world} The bridge's own times are not scaled: the service ends every connection.`,
  run: (options) => run(options),
};

async function run(
  { seed, seconds = (defaultHours * hourMs) / 1_000, signal }: ScenarioOptions,
  ownTimes?: Rotations,
): Promise<ScenarioOutcome> {
  await using world = await World.start({
    seed,
    limits: {
      ingest: { maxConnectionDurationMs: uploadLimitMs },
      signaling: { connectionDurationMs: signalingLimitMs, goAwayGraceMs },
    },
    turnTtlSeconds,
    bridge: { jitterBufferMs, ...(ownTimes === undefined ? {} : { rotations: ownTimes }) },
  });
  // They end requests as well, and so would hide the limits.
  const rotatesKeys = ownTimes !== undefined;
  if (rotatesKeys) await world.renewKeys(hourMs);
  const problems = [...(await startRecording(world))];
  let keys = 1;
  const durationMs = seconds * 1_000;
  for (let leftMs = durationMs; leftMs > 0; leftMs -= hourMs / 2) {
    await delay(Math.min(leftMs, hourMs / 2), undefined, { signal });
    if (!rotatesKeys) continue;
    // As a role's agent does, long before those in use end.
    await world.renewKeys(hourMs);
    keys += 1;
  }
  const uploads = await world.endedUploads();
  const report = await conclude(world, { seed, schedule: [], skipped: [], problems });
  const seen = {
    ...countChanges(world.bridge.events),
    rotated: uploads.filter((cause) => cause === 'complete').length,
    cut: uploads.filter((cause) => cause.startsWith('error 4003')).length,
    otherwise: uploads.filter((cause) => !/^(?:complete|error 4003)/.test(cause)),
    sessions: Number(world.bridge.events.findLast(({ event }) => event === 'totals')?.['sessions']),
    holes: report.verdict.holes.length,
  };
  return {
    report,
    problems: [...report.problems, ...wrongIn(seen, durationMs, ownTimes !== undefined)],
    findings: [
      { what: 'simulated time', value: `${(durationMs / hourMs).toFixed(1)} h` },
      { what: 'PutMedia requests replaced by the bridge', value: String(seen.rotated) },
      { what: 'PutMedia requests ended by the service (4003)', value: String(seen.cut) },
      { what: 'signaling connections replaced in time', value: String(seen.replaced) },
      { what: 'signaling connections replaced at GO_AWAY', value: String(seen.sentAway) },
      { what: 'signaling connections lost', value: String(seen.disconnected) },
      {
        what: 'lives of TURN credentials that the one session outlasted',
        value: String(Math.floor(seconds / turnTtlSeconds)),
      },
      { what: 'pairs of keys', value: String(keys) },
      { what: 'media sessions', value: String(seen.sessions) },
      ...recordingFindings(report),
      { what: 'gaps', value: String(seen.holes) },
    ],
  };
}

/** What became of the connections. */
interface Seen extends Changes {
  readonly rotated: number;
  readonly cut: number;
  readonly otherwise: readonly string[];
  readonly sessions: number;
  readonly holes: number;
}

interface Changes {
  /** By the bridge itself. */
  readonly replaced: number;
  readonly sentAway: number;
  readonly disconnected: number;
}

function countChanges(events: readonly BridgeEvent[]): Changes {
  const changes = events.filter(({ event }) => event === 'signaling');
  const replaced = changes.filter(({ kind }) => kind === 'replaced');
  const sentAway = replaced.filter(({ reason }) => String(reason).includes('GO_AWAY')).length;
  return {
    replaced: replaced.length - sentAway,
    sentAway,
    disconnected: changes.filter(({ kind }) => kind === 'disconnected').length,
  };
}

/** @param isOwnTime - whether the bridge is to replace its connections before the service ends them */
function wrongIn(seen: Seen, durationMs: number, isOwnTime: boolean): readonly string[] {
  const { rotated, cut, replaced, sentAway, otherwise } = seen;
  const wrong: string[] = otherwise.map((cause) => `a PutMedia request ended with ${cause}`);
  const check = (isGood: boolean, problem: string): void => {
    if (!isGood) wrong.push(problem);
  };
  check(seen.holes === 0, `${String(seen.holes)} gaps`);
  check(seen.sessions === 1, `${String(seen.sessions)} media sessions`);
  check(seen.disconnected === 0, `signaling was lost ${String(seen.disconnected)} times`);
  // One that is near its end may last until the last moment.
  const leastUploads = Math.floor(durationMs / (uploadLimitMs + reconnectMs));
  const leastSignaling = Math.floor(durationMs / (signalingLimitMs + goAwayGraceMs));
  if (isOwnTime) {
    check(cut + sentAway === 0, 'the service had to end connections');
    check(rotated >= leastUploads, `only ${String(rotated)} PutMedia requests were replaced`);
    check(replaced >= leastSignaling, `signaling was replaced only ${String(replaced)} times`);
  } else {
    check(cut >= leastUploads, `only ${String(cut)} PutMedia requests were ended`);
    check(sentAway >= leastSignaling, `only ${String(sentAway)} GO_AWAYs were answered`);
  }
  return wrong;
}
