/** Builds the Dockerfile's stages as root folders, and knows how the last one is run. */
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inProject } from '../setup/paths.mjs';
import { SetupError } from '../setup/setup-error.mjs';
import { applySetting, emptyImage, parseCopy } from './dockerfile.mjs';
import { bootstrap, copyRoot, must, runInRoot } from './root.mjs';

const folder = inProject('build', 'container');

/** The root folder that the last stage becomes. */
export const finishedRoot = path.join(folder, 'finished');

/** What the dpkg of `debian:<suite>-slim` leaves out. */
const slim = `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
`;

/** @param {readonly import('./dockerfile.mjs').Stage[]} stages */
export async function buildImage(stages) {
  /** @type {Map<string, import('./dockerfile.mjs').ImageSettings>} */
  const built = new Map();
  for (const stage of stages) {
    const root = path.join(folder, stage.name);
    const parent = await parentRoot(stage, built);
    let settings = built.get(stage.image) ?? emptyImage;
    const kept = keptRoot(stages, stage);
    const done = existsSync(kept.root) ? kept.instructions : 0;
    await copyRoot(done > 0 ? kept.root : parent, root);
    for (const [index, instruction] of stage.instructions.entries()) {
      if (index >= done) {
        process.stderr.write(`${stage.name}: ${instruction.keyword} ${instruction.text}\n`);
        await changeFiles(root, settings, instruction);
        if (index + 1 === kept.instructions) await copyRoot(root, kept.root);
      }
      settings = applySetting(settings, instruction);
    }
    built.set(stage.name, settings);
  }
  rmSync(finishedRoot, { recursive: true, force: true });
  renameSync(path.join(folder, stages.at(-1).name), finishedRoot);
  for (const { name } of stages) rmSync(path.join(folder, name), { recursive: true, force: true });
}

/**
 * What a stage installs before it copies something does not depend on the project, so it is kept, as
 * an engine keeps its layers; `rm -r build/container` forgets it.
 *
 * @param {readonly import('./dockerfile.mjs').Stage[]} stages
 * @param {import('./dockerfile.mjs').Stage} stage
 * @returns {{ root: string, instructions: number }} how many of its instructions are done there
 */
function keptRoot(stages, stage) {
  const { image, instructions } = stage;
  const firstCopy = instructions.findIndex(({ keyword }) => keyword === 'COPY');
  const installs = instructions[0]?.keyword === 'RUN';
  const count = !installs ? 0 : firstCopy < 0 ? instructions.length : firstCopy;
  const parent = stages.find(({ name }) => name === image);
  const recipe = JSON.stringify([image, parent, instructions.slice(0, count)]);
  const name = createHash('sha256').update(recipe).digest('hex').slice(0, 16);
  return { root: path.join(folder, 'kept', name), instructions: count };
}

/**
 * @param {import('./dockerfile.mjs').Stage} stage
 * @param {ReadonlyMap<string, unknown>} built the stages before
 * @returns {Promise<string>} the folder to start from
 */
async function parentRoot({ image }, built) {
  if (built.has(image)) return path.join(folder, image);
  if (path.isAbsolute(image)) return image;
  const suite = /^debian:(\w+)-slim$/.exec(image)?.[1];
  if (suite === undefined) throw new Error(`Dockerfile: no suite in ${image}`);
  const whole = path.join(folder, `base-${suite}`);
  await bootstrap(whole, suite);
  const root = path.join(folder, `slim-${suite}`);
  if (!existsSync(root)) await slimDown(whole, root);
  return root;
}

/**
 * @param {string} whole
 * @param {string} root
 */
async function slimDown(whole, root) {
  await copyRoot(whole, root);
  writeFileSync(path.join(root, 'etc/dpkg/dpkg.cfg.d/slim'), slim);
  const share = path.join(root, 'usr', 'share');
  await must('find', [
    path.join(share, 'doc'),
    '!',
    '-type',
    'd',
    '!',
    '-name',
    'copyright',
    '-delete',
  ]);
  for (const name of ['info', 'lintian', 'locale', 'man']) {
    rmSync(path.join(share, name), { recursive: true, force: true });
  }
  for (const emptied of ['var/lib/apt/lists', 'var/cache/apt']) {
    rmSync(path.join(root, emptied), { recursive: true, force: true });
    mkdirSync(path.join(root, emptied, 'partial'), { recursive: true });
  }
}

/**
 * @param {string} root
 * @param {import('./dockerfile.mjs').ImageSettings} settings
 * @param {import('./dockerfile.mjs').Instruction} instruction
 */
async function changeFiles(root, { user, folder: workFolder, env }, { keyword, text }) {
  if (keyword === 'COPY') return copy(root, workFolder, parseCopy(text));
  if (keyword !== 'RUN') return;
  const settings = { user, folder: workFolder, env, network: true };
  const exitCode = await runInRoot(root, settings, ['/bin/sh', '-c', text]);
  if (exitCode === 0) return;
  throw new SetupError(`a RUN step ended with exit code ${exitCode}`, 'read its output above');
}

/**
 * @param {string} root
 * @param {string} workFolder
 * @param {ReturnType<typeof parseCopy>} copy
 */
async function copy(root, workFolder, { from, sources, target }) {
  const sourceRoot = from === undefined ? inProject() : path.join(folder, from);
  const destination = path.join(root, path.posix.resolve(workFolder, target));
  mkdirSync(target.endsWith('/') ? destination : path.dirname(destination), { recursive: true });
  for (const source of sources) {
    const copyOne = 'if [ -d "$1" ]; then cp -a "$1/." "$2"; else cp -a "$1" "$2"; fi';
    const paths = [path.join(sourceRoot, source), destination];
    // What comes from the project belongs to root in the image, whoever has it here.
    const owner =
      from === undefined ? ['chown', '--recursive', 'root:root', destination] : ['true'];
    await must('sh', ['-c', `${copyOne}; shift 2; "$@"`, 'copy', ...paths, ...owner]);
  }
}

/**
 * @param {import('./dockerfile.mjs').ImageSettings} settings
 * @param {string} [name] of the volumes
 * @returns {import('./root.mjs').RootSettings} as of `docker run --read-only`: nothing can be written
 * but the volumes, which belong to whom they belong to in the image
 */
export function runSettings({ user, folder: workFolder, env, volumes }, name = 'default') {
  const mounted = volumes.map((volume) => {
    const source = path.join(folder, 'volumes', name, volume.replaceAll('/', '-').slice(1));
    mkdirSync(source, { recursive: true });
    chownSync(source, uidOf(user), uidOf(user));
    return [volume, source];
  });
  return { user, folder: workFolder, env, readOnly: true, volumes: Object.fromEntries(mounted) };
}

/**
 * @param {string} user
 * @returns {number}
 */
function uidOf(user) {
  const passwords = readFileSync(path.join(finishedRoot, 'etc', 'passwd'), 'utf8');
  const entry = passwords.split('\n').find((line) => line.startsWith(`${user}:`));
  return Number(entry?.split(':')[2] ?? 0);
}
