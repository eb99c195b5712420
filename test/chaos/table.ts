/** Renders what docs/faults.md has of the results. */
import type { ChaosFault } from './fault.js';
import type { FaultFigures, FaultResult, ScenarioResult } from './result.js';
import type { Scenario } from './scenarios/scenario.js';

const columns: readonly (readonly [title: string, value: (figures: FaultFigures) => string])[] = [
  ['lasted', ({ heldSeconds }) => (heldSeconds < 0.1 ? 'at once' : seconds(heldSeconds * 1_000))],
  ['detected in', ({ detectedMs }) => seconds(detectedMs)],
  ['recovered in', ({ recoveredMs }) => seconds(recoveredMs)],
  ['sent', ({ sent }) => String(sent)],
  ['received', ({ received }) => String(received)],
  ['stored', ({ stored }) => String(stored)],
  ['twice', ({ duplicates }) => String(duplicates)],
  ['unaccounted', ({ unaccounted }) => String(unaccounted)],
  ['reported as gap', ({ gapMs, causes }) => (gapMs === 0 ? '–' : gap(gapMs, causes))],
];

/** A table for each group of faults. */
export function renderFaults(
  faults: readonly ChaosFault[],
  results: ReadonlyMap<string, FaultResult>,
): string {
  const groups = [...new Set(faults.map(({ group }) => group))];
  const titles = cells(['fault', ...columns.map(([title]) => title), 'result']);
  const rule = cells(['---', ...columns.map(() => '---:'), '---']);
  return groups
    .map((group) => {
      const lines = faults
        .filter((fault) => fault.group === group)
        .map(({ id, title }) => line(title, results.get(id)));
      return `### ${group}\n\n${[titles, rule, ...lines].join('\n')}\n`;
    })
    .join('\n');
}

/** A table for each scenario. */
export function renderScenarios(
  scenarios: readonly Scenario[],
  results: ReadonlyMap<string, ScenarioResult>,
): string {
  return scenarios
    .map(({ id, title, story }) => {
      const result = results.get(id);
      const found = result?.findings ?? [];
      const lines = [
        cells(['measured', 'value']),
        cells(['---', '---:']),
        ...found.map(({ what, value }) => cells([what, value])),
        cells(['result', verdict(result)]),
      ];
      return `### ${title}\n\n\`npm run chaos -- --scenario ${id}\`. ${story}\n\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/**
 * Puts a text between two lines that mark its place.
 *
 * @param name - what the marks name
 * @throws Error when they are missing
 */
export function replaceBetweenMarks(document: string, name: string, text: string): string {
  const begin = `<!-- ${name}: from here -->`;
  const end = `<!-- ${name}: to here -->`;
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`the document has no lines "${begin}" and "${end}"`);
  }
  return `${before}${begin}\n\n${text}\n${end}${after}`;
}

function line(title: string, result: FaultResult | undefined): string {
  const figures = result?.figures;
  const values = columns.map(([, value]) => (figures === undefined ? '–' : value(figures)));
  return cells([title, ...values, verdict(result)]);
}

function verdict(result: FaultResult | ScenarioResult | undefined): string {
  if (result === undefined) return 'not run';
  if ('notRun' in result) return `not run: ${result.notRun}`;
  return result.problems.length === 0 ? 'good' : result.problems.join('; ');
}

function gap(gapMs: number, causes: readonly string[]): string {
  return `${seconds(gapMs)}${causes.length === 0 ? '' : ` ${causes.join(', ')}`}`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`;
}

function cells(texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
