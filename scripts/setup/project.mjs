/** Installs the npm packages and builds the addon and the TypeScript, each only when stale. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fingerprint, isStamped, listFiles, writeStamp } from './fingerprint.mjs';
import { inProject, projectRoot } from './paths.mjs';
import { lastLines, run, step, writeLog } from './run.mjs';
import { SetupError } from './setup-error.mjs';

/** Where the addon is built to. */
const addonFile = 'build/Release/kvs_bridge.node';

/** What npm prints, and what to tell the reader. The first match wins. */
const npmFailures = [
  {
    pattern: /EBADENGINE/,
    message: `this Node (${process.version}) is not supported`,
    fix: 'install Node 20.19 or newer',
  },
  {
    pattern: /ENOSPC/,
    message: 'the disk is full',
    fix: 'free about 1 GB, then run this command again',
  },
  {
    pattern: /EUSAGE|npm ci.*can only install packages when/,
    message: 'package-lock.json does not fit package.json',
    fix: 'run "npm install --ignore-scripts" and commit package-lock.json',
  },
  {
    pattern: /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ERR_SOCKET_TIMEOUT/,
    message: 'the npm registry cannot be reached',
    fix: 'check the network and the proxy and registry settings of npm, then run this again',
  },
  {
    pattern: /EACCES|EPERM/,
    message: 'npm may not write into this folder',
    fix: 'make the folder and node_modules belong to you, then run this command again',
  },
];

/** @throws {SetupError} when Node is too old to go on */
export function ensureNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(
    `this Node (${process.version}) is not supported`,
    'install Node 20.19 or newer',
  );
}

/**
 * Runs `npm ci` unless node_modules holds what package-lock.json says.
 *
 * @param {string} [folder] of the package, relative to the project
 */
export async function ensureNodeModules(folder = '.') {
  if (nodeModulesAreCurrent(folder)) return;
  const label = folder === '.' ? 'npm packages' : `npm packages of ${folder}/`;
  await step(`installing ${label}`, async () => {
    // Without scripts: the only one is ours, and the addon is built here anyway.
    const result = await run('npm', ['ci', '--ignore-scripts', '--no-progress'], {
      cwd: inProject(folder),
    });
    if (result.exitCode === 0) return;
    const log = writeLog('npm-ci', result.output);
    const failure = npmFailures.find(({ pattern }) => pattern.test(result.output));
    throw new SetupError(
      failure?.message ?? `npm ci ended with exit code ${result.exitCode}`,
      failure?.fix ?? `read ${log}`,
      { output: lastLines(result.output, 10) },
    );
  });
}

/**
 * @param {string} folder
 * @returns {boolean} whether each locked package is installed in its locked version
 */
function nodeModulesAreCurrent(folder) {
  const installedFile = inProject(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const installed = packagesOf(installedFile);
  return Object.entries(packagesOf(inProject(folder, 'package-lock.json'))).every(
    ([location, { optional, version, integrity }]) =>
      location === '' ||
      (installed[location] === undefined
        ? optional === true
        : installed[location].version === version && installed[location].integrity === integrity),
  );
}

/** Builds the addon with cmake-js unless its sources are as they were. */
export async function ensureAddon() {
  const stampFile = 'build/addon.stamp';
  const inputs = [
    'CMakeLists.txt',
    'package.json',
    'node_modules/node-addon-api/package.json',
    ...listFiles('native', /\.(cc|h)$/),
  ];
  const stamp = fingerprint(inputs, [projectRoot]);
  if (existsSync(inProject(addonFile)) && isStamped(stampFile, stamp)) return;

  await step('building the addon', async () => {
    forgetForeignCmakeCache('build');
    const cmakeJs = inProject('node_modules', 'cmake-js', 'bin', 'cmake-js');
    const result = await run(process.execPath, [cmakeJs, 'build', '--generator', 'Ninja']);
    if (result.exitCode !== 0) throw buildError('the addon', 'addon', result.output);
  });
  writeStamp(stampFile, stamp);
}

/**
 * CMake refuses a cache that was made for another folder or generator; then it has to go.
 *
 * @param {string} buildFolder relative to the project
 */
export function forgetForeignCmakeCache(buildFolder) {
  const cacheFile = inProject(buildFolder, 'CMakeCache.txt');
  if (!existsSync(cacheFile)) return;
  const cache = readFileSync(cacheFile, 'utf8');
  const fits =
    cache.includes(`\nCMAKE_HOME_DIRECTORY:INTERNAL=${projectRoot}\n`) &&
    cache.includes('\nCMAKE_GENERATOR:INTERNAL=Ninja\n');
  if (fits) return;
  rmSync(cacheFile);
  rmSync(inProject(buildFolder, 'CMakeFiles'), { recursive: true, force: true });
}

/**
 * @param {string} what
 * @param {string} logName
 * @param {string} output of the build tool
 * @returns {SetupError}
 */
export function buildError(what, logName, output) {
  const log = writeLog(logName, output);
  return new SetupError(`${what} cannot be built`, `read the errors above (all of them: ${log})`, {
    output: lastLines(output, 40),
  });
}

/** Compiles the TypeScript to dist/ unless its sources are as they were. */
export async function ensureTypeScript() {
  await ensureCompiled('.', ['bin', 'lib', 'test', 'bench', 'examples']);
}

/** The deployment, a package of its own: installs it and compiles it to infra/dist/. */
export async function ensureInfra() {
  await ensureNodeModules('infra');
  await ensureCompiled('infra', ['bin', 'lib', 'test']);
}

/**
 * @param {string} folder of the package, relative to the project
 * @param {readonly string[]} sourceFolders of the package
 */
async function ensureCompiled(folder, sourceFolders) {
  const output = path.join(folder, 'dist');
  const stampFile = path.join(output, 'typescript.stamp');
  const sources = sourceFolders.flatMap((name) => listFiles(path.join(folder, name), /\.ts$/));
  const settings = ['tsconfig.json', 'package.json', 'node_modules/.package-lock.json'];
  const stamp = fingerprint(
    [...sources, ...settings, ...settings.map((name) => path.join(folder, name))],
    [projectRoot],
  );
  if (isStamped(stampFile, stamp)) return;

  const label = folder === '.' ? 'TypeScript' : `TypeScript of ${folder}/`;
  await step(`compiling ${label}`, async () => {
    removeOrphans(folder, output, sources);
    const tsc = inProject('node_modules', 'typescript', 'bin', 'tsc');
    const result = await run(process.execPath, [tsc, '--project', folder]);
    if (result.exitCode !== 0) throw buildError(`the ${label}`, 'tsc', result.output);
  });
  writeStamp(stampFile, stamp);
}

/**
 * Deletes what was compiled from sources that are gone: a deleted test must not run on.
 *
 * @param {string} folder of the package
 * @param {string} output what it is compiled to
 * @param {readonly string[]} sources
 */
function removeOrphans(folder, output, sources) {
  const known = new Set(sources.map((file) => file.replace(/\.ts$/, '')));
  for (const compiled of listFiles(output, /\.(js|js\.map|d\.ts)$/)) {
    const source = path.join(folder, path.relative(output, compiled));
    if (!known.has(source.replace(/\.(js|js\.map|d\.ts)$/, ''))) rmSync(inProject(compiled));
  }
}
