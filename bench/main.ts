/**
 * `npm run bench [-- <part> …] [--baseline <dist of another build>]`: measures, prints, and writes
 * docs/benchmarks.md with its charts. Parts that are not named keep what they said before.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { lineChart } from './chart.js';
import { cleanUpAtExit } from './leftovers.js';
import { pageOf, sectionsOf } from './page.js';
import { parts } from './parts.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { baseline: { type: 'string' } },
});
const [floorReceiver, sender, transcode, ...names] = positionals;
if (floorReceiver === undefined || sender === undefined || transcode === undefined) {
  throw new TypeError('usage: main.js <floor receiver> <sender> <transcoding track> [<part> …]');
}
const unknown = names.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) {
  throw new TypeError(`there is no part "${unknown}", only ${Object.keys(parts).join(', ')}`);
}

cleanUpAtExit();
const page = 'docs/benchmarks.md';
const charts = 'docs/benchmarks';
const sections = sectionsOf(await readFile(page, 'utf8').catch(() => ''));
await mkdir(charts, { recursive: true });
for (const [name, part] of Object.entries(parts)) {
  if (names.length > 0 && !names.includes(name)) continue;
  process.stdout.write(`${part.title}, about ${part.takes} …\n`);
  const section = await part.measure({ floorReceiver, sender, transcode }, values);
  process.stdout.write(`\n${section.text}\n\n`);
  sections.set(part.title, section.text);
  for (const [file, chart] of Object.entries(section.charts ?? {})) {
    await writeFile(`${charts}/${file}.svg`, lineChart(chart));
  }
  // After each: what took minutes is kept when a later part fails.
  await writeFile(page, pageOf(sections));
}
