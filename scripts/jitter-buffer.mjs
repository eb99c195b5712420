/** `node scripts/jitter-buffer.mjs`: measures jitter buffers and writes docs/jitter-buffer.md. */
import { setUp } from './setup.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  await setUp('test');
  process.argv = [process.execPath, inProject('dist', 'bench', 'jitter-buffer.js')];
  process.argv.push(inProject('docs', 'jitter-buffer.md'));
  await import(process.argv[1]);
});
