#!/usr/bin/env node
/** The command: arguments in, exit code out. */
import { runCli } from './cli/program.js';

// The SDK announces on stderr which Node its future versions need; ours is pinned and tested.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const exitCode = await runCli(process.argv.slice(2));
// What was written has to be out before the process goes; it may be a pipe.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}
process.exit(exitCode);
