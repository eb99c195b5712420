/**
 * `npm run matrix -- [--sink putmedia] [--only vp8] [--again]`: records every source of
 * test/matrix/rows.ts through every sink, some 20 s each, and writes the tables of docs/sources.md.
 * What was measured stays in build/matrix; only rows that were not good are run once more, unless
 * `--again`. `--render` only writes the tables.
 */
import { findChromium } from './testing/chromium.mjs';
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  await setUp('test');
  const chromium = findChromium();
  if (chromium !== undefined) process.env.KVSB_CHROMIUM = chromium;
  await import(inProject('dist', 'test', 'matrix', 'main.js'));
});
