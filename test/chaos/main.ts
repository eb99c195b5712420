/** `npm run chaos`: says nothing but its last line unless something is wrong. */
import { parseArgs } from 'node:util';
import { faults } from './faults/all.js';
import { runFaults } from './run.js';
import type { RunReport } from './run.js';
import { describeHole } from './verdict.js';

const { values } = parseArgs({
  options: {
    duration: { type: 'string', default: '600' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
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
const report = await runFaults({
  seed,
  faults: chosen,
  durationSeconds: Number(values.duration),
  signal: stop.signal,
});
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text(report));
process.exitCode = report.problems.length === 0 ? 0 : 1;

function text(report: RunReport): string {
  const { schedule, verdict, problems, bridge } = report;
  const sum =
    `chaos, seed ${String(report.seed)}: ${String(schedule.length)} faults, ` +
    `${String(verdict.sent)} frames sent, ${String(bridge.received)} received, ` +
    `${String(verdict.stored)} stored, ${String(verdict.duplicates)} twice\n`;
  if (problems.length === 0) return sum;
  return [
    ...schedule.map((fault) => JSON.stringify(fault)),
    ...report.skipped.map((reason) => `skipped ${reason}`),
    ...verdict.holes.map((hole) => `hole: ${describeHole(hole)}`),
    report.lastWords,
    ...problems.map((problem) => `problem: ${problem}`),
    sum,
  ].join('\n');
}
