/**
 * Runs the steps of the Dockerfile in debootstrap roots, where no container engine is at hand:
 *
 *   node scripts/container-root.mjs                     build
 *   node scripts/container-root.mjs --version           build if need be, then run the entrypoint
 *
 * It needs root, debootstrap, and a gigabyte or two in build/container. It checks that the steps
 * work on the distribution; isolation, layers and the base image's own files are an engine's matter.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseCopy, parseDockerfile } from './container/dockerfile.mjs';
import { bootstrap, copyRoot, runInRoot, spawnInherited } from './container/root.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript, SetupError } from './setup/setup-error.mjs';

const folder = inProject('build', 'container');
const finished = path.join(folder, 'finished');

/** The settings that an engine begins a stage with. */
const initial = { user: 'root', folder: '/', env: {}, entrypoint: [] };

await runScript(async () => {
  if (process.getuid?.() !== 0) {
    throw new SetupError('chroot and debootstrap need root', 'run this script as root');
  }
  const args = process.argv.slice(2);
  const stages = parseDockerfile(readFileSync(inProject('Dockerfile'), 'utf8'));
  if (args.length === 0 || !existsSync(finished)) await build(stages);
  if (args.length > 0) process.exitCode = await runEntrypoint(stages.at(-1), args);
});

/** @param {import('./container/dockerfile.mjs').Stage[]} stages */
async function build(stages) {
  for (const stage of stages) {
    const suite = /^debian:(\w+)/.exec(stage.image)?.[1];
    if (suite === undefined) throw new Error(`Dockerfile: no suite in ${stage.image}`);
    const base = path.join(folder, `base-${suite}`);
    await bootstrap(base, suite);
    const root = path.join(folder, stage.name);
    await copyRoot(base, root);
    let settings = initial;
    for (const instruction of stage.instructions) {
      process.stderr.write(`${stage.name}: ${instruction.keyword} ${instruction.text}\n`);
      settings = await obey(root, settings, instruction);
    }
  }
  rmSync(finished, { recursive: true, force: true });
  renameSync(path.join(folder, stages.at(-1).name), finished);
  for (const { name } of stages) rmSync(path.join(folder, name), { recursive: true, force: true });
}

/**
 * @param {string} root
 * @param {typeof initial} settings
 * @param {import('./container/dockerfile.mjs').Instruction} instruction
 * @returns {Promise<typeof initial>} the settings for the next instruction
 */
async function obey(root, settings, { keyword, text }) {
  if (keyword === 'RUN') {
    const exitCode = await runInRoot(root, settings, ['/bin/sh', '-c', text]);
    if (exitCode === 0) return settings;
    throw new SetupError(`a RUN step ended with exit code ${exitCode}`, 'read its output above');
  }
  if (keyword === 'COPY') {
    await copy(root, settings.folder, parseCopy(text));
    return settings;
  }
  return applySetting(settings, keyword, text);
}

/**
 * @param {typeof initial} settings
 * @param {string} keyword
 * @param {string} text
 * @returns {typeof initial}
 */
function applySetting(settings, keyword, text) {
  switch (keyword) {
    case 'WORKDIR':
      return { ...settings, folder: path.posix.resolve(settings.folder, text) };
    case 'USER':
      return { ...settings, user: text };
    case 'ENV': {
      const [name, ...value] = text.split('=');
      return { ...settings, env: { ...settings.env, [name]: value.join('=') } };
    }
    case 'ENTRYPOINT':
      return { ...settings, entrypoint: JSON.parse(text) };
    default:
      throw new Error(`Dockerfile: ${keyword} is not understood here`);
  }
}

/**
 * @param {string} root
 * @param {string} workFolder
 * @param {ReturnType<typeof parseCopy>} copy
 */
async function copy(root, workFolder, { from, sources, target }) {
  const sourceRoot = from === undefined ? inProject() : path.join(folder, from);
  const resolved = path.posix.resolve(workFolder, target);
  const destination = path.join(root, resolved);
  mkdirSync(target.endsWith('/') ? destination : path.dirname(destination), { recursive: true });
  for (const source of sources) {
    const exitCode = await spawnInherited('sh', [
      ...['-c', 'if [ -d "$1" ]; then cp -a "$1/." "$2"; else cp -a "$1" "$2"; fi', 'copy'],
      ...[path.join(sourceRoot, source), destination],
    ]);
    if (exitCode !== 0) throw new SetupError(`${source} cannot be copied`, 'read the output above');
  }
}

/**
 * @param {import('./container/dockerfile.mjs').Stage} stage
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
function runEntrypoint(stage, args) {
  const settings = stage.instructions
    .filter(({ keyword }) => keyword !== 'RUN' && keyword !== 'COPY')
    .reduce((current, { keyword, text }) => applySetting(current, keyword, text), initial);
  return runInRoot(finished, settings, [...settings.entrypoint, ...args]);
}
