/**
 * `npm run chaos -- [--duration SECONDS] [--seed N] [--only FAULT] [--json]`: breaks whatever can
 * break around and inside a bridge that records numbered frames, and compares what was sent with what
 * is stored and with the ledger. The same seed makes the same schedule. Quiet unless something is
 * lost, stored twice or not recovered from.
 */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  await setUp('test');
  await import(inProject('dist', 'test', 'chaos', 'main.js'));
});
