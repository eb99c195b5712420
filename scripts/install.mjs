/**
 * Runs when somebody installs the package: builds the addon against the system's GStreamer. In a
 * clone it does nothing, `npm run build` and the other commands build there.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { currentSystem, gstreamerFloor, packagesFor } from './setup/packages.mjs';
import { inProject, projectRoot } from './setup/paths.mjs';
import { lastLines, run } from './setup/run.mjs';
import { runScript, SetupError } from './setup/setup-error.mjs';

/** Modules of pkg-config that stand for the three GStreamer development packages. */
const pkgConfigModules = ['gstreamer-1.0', 'gstreamer-sdp-1.0', 'gstreamer-webrtc-1.0'];

await runScript(async () => {
  // Not in the published package.
  if (existsSync(inProject('tsconfig.json'))) return;

  const { packages } = packagesFor(currentSystem(), 'runtime');
  const fix = `install these system packages, then install kvs-bridge again: ${packages.join(' ')}`;
  const found = await run('pkg-config', [
    '--exists',
    ...pkgConfigModules.map((name) => `${name} >= ${gstreamerFloor}`),
  ]);
  if (found.exitCode !== 0) {
    throw new SetupError(
      `kvs-bridge needs the development files of GStreamer ${gstreamerFloor} or newer`,
      fix,
    );
  }

  const require = createRequire(import.meta.url);
  const cmakeJs = path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin/cmake-js');
  const result = await run(process.execPath, [cmakeJs, 'build'], { cwd: projectRoot });
  if (result.exitCode !== 0) {
    throw new SetupError('the addon of kvs-bridge cannot be built', fix, {
      output: lastLines(result.output, 40),
    });
  }
});
