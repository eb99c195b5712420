/** `npm run matrix`: measures rows, keeps what it measured, and writes the tables. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { sinkNames } from '../support/sinks.js';
import type { SinkName } from '../support/sinks.js';
import { measure } from './measure.js';
import { ResultStore } from './result.js';
import { rows } from './rows.js';
import { replaceTables } from './table.js';

const document = 'docs/sources.md';
const resultsFolder = 'build/matrix';

const { values } = parseArgs({
  options: {
    sink: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    again: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});

function isSink(name: string): name is SinkName {
  return (sinkNames as readonly string[]).includes(name);
}

// The browser's driver takes the signal to close its browser, and goes on.
process.once('SIGTERM', () => process.exit(143));

const sinks = (values.sink ?? sinkNames).filter(isSink);
const chosen = rows.filter(
  ({ id }) => values.only === undefined || values.only.some((part) => id.includes(part)),
);
const store = new ResultStore(resultsFolder);

for (const sink of values.render ? [] : sinks) {
  const known = await store.read(sink);
  for (const row of chosen) {
    const before = known.get(row.id);
    const isDone =
      before !== undefined && before.notRun === undefined && before.faults.length === 0;
    if (isDone && !values.again) continue;
    const result = await measure(row, sink);
    await store.add(result);
    const outcome =
      result.notRun ?? (result.faults.length === 0 ? 'good' : result.faults.join('; '));
    process.stdout.write(`${sink} ${row.id}: ${outcome} ${JSON.stringify(result.figures ?? {})}\n`);
  }
}

const results = new Map(
  await Promise.all(sinkNames.map(async (sink) => [sink, await store.read(sink)] as const)),
);
await writeFile(document, replaceTables(await readFile(document, 'utf8'), rows, results));
process.stdout.write(`Wrote ${document}.\n`);
