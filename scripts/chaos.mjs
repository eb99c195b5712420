/**
 * `npm run chaos -- [--duration SECONDS] [--seed N] [--only FAULT] [--json]`: breaks whatever can
 * break around and inside a bridge that records numbered frames, and compares what was sent with what
 * is stored and with the ledger. The same seed makes the same schedule. A line and exit code 0 unless
 * something is lost, stored twice or not recovered from.
 *
 * `--table [--again]`: each fault in a run of its own, for docs/faults.md; what was measured stays in
 * build/chaos, and only what was not good is run once more.
 *
 * `--scenario limits|limits-enforced|outage [--duration SECONDS]`, `--scenario kills|reconnects
 * [--count N]`: the service's limits in minutes for hours, KVS away for minutes, everything killed
 * again and again. `--record` keeps what was measured, for docs/faults.md.
 *
 * `--render` only writes docs/faults.md.
 */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  await setUp('test');
  await import(inProject('dist', 'test', 'chaos', 'main.js'));
});
