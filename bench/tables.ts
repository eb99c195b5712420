/** Markdown of the results. */
import { isLate, lateAfterMs } from './scale.js';
import type { ScaleStep } from './scale.js';

/** Rows of cells under a head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}

/** All that was measured, one row for each number of streams. */
export function scaleTable(steps: readonly ScaleStep[]): string {
  const head = [
    'Streams',
    'CPU each, %',
    'floor each, %',
    'ratio',
    'senders and KVS, %',
    'RTP to KVS p50 / p95 / p99, ms',
    'persisted after p50 / p99, ms',
    'fragments',
    'late',
    'frames lost',
  ];
  return table(
    head,
    steps.map((step) => {
      const { cpuPercent, floorCpuPercent, latencyMs, persistLagMs } = step;
      return [
        String(step.streams),
        cpuPercent.toFixed(2),
        floorCpuPercent?.toFixed(2) ?? '',
        floorCpuPercent === undefined ? '' : (cpuPercent / floorCpuPercent).toFixed(2),
        step.surroundingsCpuPercent.toFixed(0),
        [latencyMs.p50, latencyMs.p95, latencyMs.p99].map(milliseconds).join(' / '),
        [persistLagMs.p50, persistLagMs.p99].map(milliseconds).join(' / '),
        String(step.fragments),
        String(step.lateFragments),
        String(step.framesLost),
      ];
    }),
  );
}

/** The sentence that says how many streams went well. */
export function firstLate(steps: readonly ScaleStep[]): string {
  const well = `no fragment was late (persisted more than ${lateAfterMs} ms after its last frame),
no frame lost`;
  const late = steps.find(isLate);
  if (late === undefined) return `With up to ${steps.at(-1)?.streams ?? 0} streams ${well}.`;
  const good = steps.findLast(({ streams }) => streams < late.streams)?.streams ?? 0;
  return `With up to ${good} streams ${well}; ${late.streams} were too many.`;
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(0);
}
