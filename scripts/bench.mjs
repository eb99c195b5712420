/** `npm run bench`: set-up, the programs to compare with, then the measurements. */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { buildError, forgetForeignCmakeCache } from './setup/project.mjs';
import { run, step } from './setup/run.mjs';
import { runScript } from './setup/setup-error.mjs';

const folder = 'build/bench';
const programs = ['kvsb_floor_receiver', 'kvsb_sender', 'kvsb_transcode'];

await runScript(async () => {
  await setUp('bench');
  await step('building what is measured beside the bridge', buildPrograms);
  const main = inProject('dist', 'bench', 'main.js');
  const chosen = process.argv.slice(2);
  const executables = programs.map((name) => inProject(folder, name));
  process.argv = [process.execPath, main, ...executables, ...chosen];
  await import(main);
});

async function buildPrograms() {
  forgetForeignCmakeCache(folder);
  const settings = ['-DKVSB_BUILD_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'];
  const steps = [
    ['-S', '.', '-B', folder, '-G', 'Ninja', ...settings],
    ['--build', folder, '--target', ...programs],
  ];
  for (const args of steps) {
    const result = await run('cmake', args);
    if (result.exitCode !== 0)
      throw buildError('a program of the benchmarks', 'bench', result.output);
  }
}
