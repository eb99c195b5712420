/**
 * Shows that the image that scripts/container-root.mjs built lacks nothing, and what it costs:
 *
 *   node scripts/container-verify.mjs [files|elements|sources|kvssink|start|stop]…
 *
 * `start --read-only` of it, as uid 10001, records every source from local KVSs; TURN, the health check,
 * SIGTERM through tini, and the time from exec to `recording` are looked at too. It needs what
 * container-root.mjs needs, Chromium (for AV1) and coturn.
 */
import { existsSync } from 'node:fs';
import { finishedRoot } from './container/build.mjs';
import { checkElements, checkFiles } from './container/verify-files.mjs';
import { checkKvsSink, checkSources } from './container/verify-sources.mjs';
import { checkStop, measureStart } from './container/verify-start.mjs';
import { ensureRootUser } from './container/root.mjs';
import { setUp } from './setup.mjs';
import { runScript, SetupError } from './setup/setup-error.mjs';

const groups = {
  files: checkFiles,
  elements: checkElements,
  sources: checkSources,
  kvssink: checkKvsSink,
  start: measureStart,
  stop: checkStop,
};

await runScript(async () => {
  ensureRootUser();
  if (!existsSync(finishedRoot)) {
    throw new SetupError('the image is not built', 'run "node scripts/container-root.mjs"');
  }
  await setUp('test');
  const chosen = process.argv.slice(2);
  let failures = 0;
  const report = (what, good, found) => {
    if (!good) failures += 1;
    process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${what}: ${found}\n`);
  };
  for (const [name, check] of Object.entries(groups)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    try {
      await check(report);
    } catch (error) {
      report(name, false, error.message);
    }
  }
  if (failures > 0) process.exitCode = 1;
});
