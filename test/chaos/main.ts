/** `npm run chaos`: one run of many faults, or a run of each for the table. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { faults } from './faults/all.js';
import { ResultStore, resultOf } from './result.js';
import { runFaults } from './run.js';
import { scenarios } from './scenario.js';
import type { RunReport } from './run.js';
import { replaceTable } from './table.js';
import { describeHole } from './verdict.js';

const document = 'docs/faults.md';
const resultsFile = 'build/chaos/results.jsonl';

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

if (values.table || values.render) await makeTable();
else if (values.scenario === undefined) await runOnce();
else await runScenario(values.scenario);

async function runOnce(): Promise<void> {
  const durationSeconds = Number(values.duration ?? 600);
  const report = await runFaults({ seed, faults: chosen, durationSeconds, signal: stop.signal });
  conclude(report, textOf(report));
}

async function runScenario(name: string): Promise<void> {
  const run = Object.entries(scenarios).find(([known]) => known === name)?.[1];
  if (run === undefined) {
    throw new Error(`--scenario takes one of ${Object.keys(scenarios).join(', ')}`);
  }
  const report = await run({
    seed,
    signal: stop.signal,
    ...(values.duration === undefined ? {} : { seconds: Number(values.duration) }),
    ...(values.count === undefined ? {} : { count: Number(values.count) }),
  });
  conclude(report, `${textOf(report)}\n${name}: ${report.findings}`);
}

function conclude(report: RunReport, text: string): void {
  process.stdout.write(`${values.json ? JSON.stringify(report) : text}\n`);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
}

/** Each fault in a run of its own; those that were good are not run again, unless `--again`. */
async function makeTable(): Promise<void> {
  const store = new ResultStore(resultsFile);
  const known = await store.read();
  for (const fault of values.render ? [] : chosen) {
    const before = known.get(fault.id);
    const isDone =
      before !== undefined && before.notRun === undefined && before.problems.length === 0;
    if (isDone && !values.again) continue;
    const report = await runFaults({ seed, faults: [fault], signal: stop.signal });
    await store.add(resultOf(fault.id, report));
    process.stdout.write(`${fault.id}: ${textOf(report)}\n`);
  }
  const text = replaceTable(await readFile(document, 'utf8'), faults, await store.read());
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
  if (problems.length === 0) return sum;
  return [
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
