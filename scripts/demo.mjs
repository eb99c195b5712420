/** `npm run demo -- [options]`: set-up, then `kvs-bridge demo` with the options given. */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  await setUp('runtime');
  // In this process rather than a child, so that signals and exit code need no passing on.
  const command = inProject('dist', 'bin', 'kvs-bridge.js');
  process.argv = [process.execPath, command, 'demo', ...process.argv.slice(2)];
  await import(command);
});
