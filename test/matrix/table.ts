/** Renders results as the tables of docs/sources.md. */
import { sinkNames } from '../support/sinks.js';
import type { SinkName } from '../support/sinks.js';
import type { RowFigures, RowResult } from './result.js';
import type { MatrixRow } from './row.js';

/** Results by sink and then by row. */
export type Results = ReadonlyMap<SinkName, ReadonlyMap<string, RowResult>>;

const begin = '<!-- matrix: begin -->';
const end = '<!-- matrix: end -->';

const columns: readonly (readonly [
  title: string,
  value: (figures: RowFigures) => number | undefined,
])[] = [
  ['sent', ({ sent }) => sent],
  ['received', ({ received }) => received],
  ['stored', ({ stored }) => stored],
  ['decoded', ({ decoded }) => decoded],
  ['largest gap, ms', ({ largestGapMs }) => largestGapMs],
  ['largest A/V skew, ms', ({ largestSkewMs }) => largestSkewMs],
  ['fragments < 1 s', ({ tooShort }) => tooShort],
  ['fragments > 20 s', ({ tooLong }) => tooLong],
  ['decode errors', ({ decodeErrors }) => decodeErrors],
];

/** Puts the tables between the marks in a document. @throws when the marks are missing */
export function replaceTables(
  document: string,
  rows: readonly MatrixRow[],
  results: Results,
): string {
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`the document has no lines "${begin}" and "${end}"`);
  }
  return `${before}${begin}\n\n${renderTables(rows, results)}\n${end}${after}`;
}

function renderTables(rows: readonly MatrixRow[], results: Results): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const lines = rows
        .filter((row) => row.group === group)
        .flatMap((row) => sinkNames.map((sink) => line(row, sink, results.get(sink)?.get(row.id))));
      const titles = ['source', 'sink', ...columns.map(([title]) => title), 'result'];
      const rule = ['---', '---', ...columns.map(() => '---:'), '---'];
      return `### ${group}\n\n${[cells(titles), cells(rule), ...lines].join('\n')}\n`;
    })
    .join('\n');
}

function line({ title }: MatrixRow, sink: SinkName, result: RowResult | undefined): string {
  const figures = result?.figures;
  const values = columns.map(([, value]) => {
    const figure = figures === undefined ? undefined : value(figures);
    return figure === undefined ? '–' : String(figure);
  });
  return cells([title, sink, ...values, verdict(result)]);
}

function verdict(result: RowResult | undefined): string {
  if (result === undefined) return 'not run';
  if (result.notRun !== undefined) return `not run: ${result.notRun}`;
  if (result.faults.length > 0) return result.faults.join('; ');
  const endedWith = result.figures?.endedWith;
  return endedWith === undefined ? 'good' : `good: ended with ${endedWith}, as it should`;
}

function cells(texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
