/** `npm run chaos`: one run of many faults, a run of each for the table, or a scenario. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { faults } from './faults/all.js';
import { ResultStore, resultOf } from './result.js';
import type { FaultResult, ScenarioResult } from './result.js';
import { runFaults } from './run.js';
import type { RunReport } from './run.js';
import { scenarios } from './scenarios/all.js';
import { renderFaults, renderScenarios, replaceBetweenMarks } from './table.js';
import { describeHole } from './verdict.js';

const document = 'docs/faults.md';
const faultResults = new ResultStore<FaultResult>('build/chaos/results.jsonl');
const scenarioResults = new ResultStore<ScenarioResult>('build/chaos/scenarios.jsonl');

const { values } = parseArgs({
  options: {
    duration: { type: 'string' },
    scenario: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    stop.abort(new Error(name));
  });
}

const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chosen = faults.filter(
  ({ id }) => values.only === undefined || values.only.some((part) => id.includes(part)),
);

if (values.table) await makeTable();
else if (values.render) await writeDocument();
else if (values.scenario === undefined) await runOnce();
else await runScenario(values.scenario);

async function runOnce(): Promise<void> {
  const durationSeconds = Number(values.duration ?? 600);
  const report = await runFaults({ seed, faults: chosen, durationSeconds, signal: stop.signal });
  conclude(report, textOf(report));
}

async function runScenario(name: string): Promise<void> {
  const scenario = scenarios.find(({ id }) => id === name);
  if (scenario === undefined) {
    throw new Error(`--scenario takes one of ${scenarios.map(({ id }) => id).join(', ')}`);
  }
  const outcome = await scenario.run({
    seed,
    signal: stop.signal,
    ...(values.duration === undefined ? {} : { seconds: Number(values.duration) }),
    ...(values.count === undefined ? {} : { count: Number(values.count) }),
  });
  const { findings, problems, report } = outcome;
  const told = report === undefined ? problems : textOf({ ...report, problems });
  conclude(
    outcome,
    [told, ...findings.map(({ what, value }) => `${what}: ${value}`)].flat().join('\n'),
  );
  if (!values.record) return;
  await scenarioResults.add({ id: scenario.id, findings, problems });
  await writeDocument();
}

function conclude(told: { readonly problems: readonly string[] }, text: string): void {
  process.stdout.write(`${values.json ? JSON.stringify(told) : text}\n`);
  process.exitCode = told.problems.length === 0 ? 0 : 1;
}

/** Each fault in a run of its own; those that were good are not run again, unless `--again`. */
async function makeTable(): Promise<void> {
  const known = await faultResults.read();
  for (const fault of chosen) {
    const before = known.get(fault.id);
    const isDone =
      before !== undefined && before.notRun === undefined && before.problems.length === 0;
    if (isDone && !values.again) continue;
    const report = await runFaults({ seed, faults: [fault], signal: stop.signal });
    await faultResults.add(resultOf(fault.id, report));
    process.stdout.write(`${fault.id}: ${textOf(report)}\n`);
  }
  await writeDocument();
}

/** Puts what was measured into the document. */
async function writeDocument(): Promise<void> {
  const table = renderFaults(faults, await faultResults.read());
  const stories = renderScenarios(scenarios, await scenarioResults.read());
  const before = await readFile(document, 'utf8');
  const withTable = replaceBetweenMarks(before, 'npm run chaos -- --table', table);
  const text = replaceBetweenMarks(withTable, 'npm run chaos -- --scenario', stories);
  await writeFile(document, text);
  process.stdout.write(`Wrote ${document}.\n`);
}

/** A line, and everything about the run when something is wrong. */
function textOf(report: RunReport): string {
  const { schedule, verdict, problems, bridge } = report;
  const sum =
    `seed ${String(report.seed)}, ${String(schedule.length)} faults: ` +
    `${String(verdict.sent)} frames sent, ${String(bridge.received)} received, ` +
    `${String(verdict.stored)} stored, ${String(verdict.duplicates)} twice`;
  if (problems.length === 0) return [...verdict.misshown, sum].join('\n');
  return [
    ...verdict.misshown,
    report.network,
    ...schedule.map((fault) => JSON.stringify(fault)),
    ...report.skipped.map((reason) => `skipped ${reason}`),
    ...verdict.holes.map((hole) => `hole: ${describeHole(hole)}`),
    `ledger: ${JSON.stringify(report.ledger)}`,
    report.lastWords,
    ...problems.map((problem) => `problem: ${problem}`),
    sum,
  ].join('\n');
}
