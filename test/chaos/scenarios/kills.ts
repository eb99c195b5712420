/** Everything is killed at random moments of starting, recording and catching up. */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../support/random.js';
import { recorded } from '../bridge-command.js';
import type { BridgeEvent } from '../bridge-runner.js';
import { readClaims } from '../claim.js';
import type { Claim } from '../claim.js';
import { conclude, endOf, isPersisted, startRecording } from '../run.js';
import { World } from '../world.js';
import { recordingFindings } from './scenario.js';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from './scenario.js';

const defaultCount = 200;
/** While the bridge starts. */
const earlyMs = [0, 4_000] as const;
/** While it records, or catches up. */
const lateMs = [4_000, 16_000] as const;
const earlyPercent = 50;
const kvsPercent = 20;
const masterPercent = 10;
const lastLimitMs = 90_000;

export const kills: Scenario = {
  id: 'kills',
  title: '`kill -9` of everything, two hundred times',
  story:
    'SIGKILL to the bridge and its media process at the same moment, every fifth time to KVS and ' +
    'every tenth to the master as well, half of them within 4 s of the start before, the others ' +
    'within 16 s; a service manager starts all again. After each kill the ledger on disk is read: ' +
    'every fragment that any of these says is stored must be in the archive at the end, with as ' +
    'many frames, and each frame once.',
  run,
};

async function run({
  seed,
  count = defaultCount,
  signal,
}: ScenarioOptions): Promise<ScenarioOutcome> {
  const random = new SeededRandom(seed);
  await using world = await World.start({ seed, diskMb: 256 });
  const problems = [...(await startRecording(world))];
  const claims: Claim[] = [];
  let kvsKills = 0;
  let masterKills = 0;
  let killed = 0;
  while (killed < count) {
    const [minMs, maxMs] = random.happens(earlyPercent) ? earlyMs : lateMs;
    await delay(random.whole(minMs, maxMs), undefined, { signal });
    // It may not have been started again.
    if (!world.bridge.killAll()) continue;
    killed += 1;
    claims.push(...(await readClaims(world.stateFolder, recorded.stream)));
    if (random.happens(kvsPercent)) {
      kvsKills += 1;
      await world.stopKvs();
      await world.startKvs();
    }
    if (random.happens(masterPercent)) {
      masterKills += 1;
      await world.master.kill();
      await world.master.start();
    }
  }
  const killedAtMs = Date.now();
  // What the spool still had comes first.
  const isBack = (event: BridgeEvent): boolean => isPersisted(event) && endOf(event) >= killedAtMs;
  const last = await world.bridge.next(isBack, lastLimitMs);
  if (last === undefined) problems.push('nothing was persisted after the last kill');
  const report = await conclude(world, { seed, schedule: [], skipped: [], problems }, claims);
  return {
    report,
    problems: report.problems,
    findings: [
      { what: 'kills of bridge and media process', value: String(killed) },
      { what: 'of KVS besides', value: String(kvsKills) },
      { what: 'of the master besides', value: String(masterKills) },
      { what: 'starts of the bridge', value: String(report.bridge.starts) },
      { what: 'fragments that a ledger said are stored', value: String(report.verdict.claims) },
      { what: 'of these not in the archive as told', value: String(report.verdict.falseClaims) },
      ...recordingFindings(report),
    ],
  };
}
