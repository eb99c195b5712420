/** `npm run bench`: set-up, the bare C receiver to compare with, then the measurements. */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { buildError, forgetForeignCmakeCache } from './setup/project.mjs';
import { run, step } from './setup/run.mjs';
import { runScript } from './setup/setup-error.mjs';

const folder = 'build/bench';

await runScript(async () => {
  await setUp('bench');
  await step('building the bare receiver', buildReceiver);
  const main = inProject('dist', 'bench', 'main.js');
  process.argv = [process.execPath, main, inProject(folder, 'kvsb_floor_receiver')];
  await import(main);
});

async function buildReceiver() {
  forgetForeignCmakeCache(folder);
  const settings = ['-DKVSB_BUILD_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'];
  const steps = [
    ['-S', '.', '-B', folder, '-G', 'Ninja', ...settings],
    ['--build', folder, '--target', 'kvsb_floor_receiver'],
  ];
  for (const args of steps) {
    const result = await run('cmake', args);
    if (result.exitCode !== 0) throw buildError('the bare receiver', 'bench', result.output);
  }
}
