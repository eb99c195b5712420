/** What the image's files are: their size, what must not be there, and GStreamer's elements. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { run } from '../setup/run.mjs';
import { finishedRoot } from './build.mjs';
import { runProgram } from './image.mjs';

/** Of the whole root file system, in 10^6 bytes. */
const mostMb = 400;

/** Compilers, package managers of other worlds, and what only a build needs. */
const unwanted = [
  ...['cc', 'gcc', 'g++', 'c++', 'clang', 'cmake', 'ninja', 'make', 'ld'].map(
    (name) => `usr/bin/${name}`,
  ),
  ...['npm', 'npx', 'corepack', 'git', 'curl', 'python3'].map((name) => `usr/bin/${name}`),
  'root/.npm',
  'usr/include/stdio.h',
  'opt/kvs-bridge/node_modules/typescript',
  'opt/kvs-bridge/node_modules/cmake-js',
];

/** @param {(what: string, good: boolean, found: string) => void} report */
export async function checkFiles(report) {
  const { output } = await run('du', ['--one-file-system', '--bytes', '--summarize', finishedRoot]);
  const megabytes = Number(output.split('\t')[0]) / 1e6;
  report('size', megabytes < mostMb, `${megabytes.toFixed(0)} MB, at most ${mostMb}`);
  const present = unwanted.filter((name) => existsSync(path.join(finishedRoot, name)));
  report('nothing of a build', present.length === 0, present.join(' ') || 'none there');
}

/**
 * Scans the plugins anew, which GStreamer does not do in silence when one cannot be loaded.
 *
 * @param {(what: string, good: boolean, found: string) => void} report
 */
export async function checkElements(report) {
  const env = { GST_REGISTRY: '/var/lib/kvs-bridge/registry.bin', GST_REGISTRY_UPDATE: 'yes' };
  const command = ['kvs-bridge', 'check-elements'];
  const { exitCode, lines } = await runProgram(command, { env });
  report('elements', exitCode === 0 && lines.length === 1, lines.join('; '));
}
