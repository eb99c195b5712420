/** Checks that other programs make. Each returns what is wrong, as lines; nothing when all is well. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { listFiles } from '../setup/fingerprint.mjs';
import { inProject } from '../setup/paths.mjs';
import { buildError, forgetForeignCmakeCache } from '../setup/project.mjs';
import { run } from '../setup/run.mjs';

/** Clang's release that formats and lints; packages.mjs installs it. */
const clangRelease = '14';

/**
 * @param {boolean} fix
 * @returns {Promise<string>}
 */
export async function prettier(fix) {
  const args = [fix ? '--write' : '--check', '--log-level', 'warn', '.'];
  return node('prettier/bin/prettier.cjs', args);
}

/**
 * @param {boolean} fix
 * @returns {Promise<string>}
 */
export async function eslint(fix) {
  return node('eslint/bin/eslint.js', ['--max-warnings', '0', ...(fix ? ['--fix'] : []), '.']);
}

/**
 * @param {string} program path inside node_modules
 * @param {readonly string[]} args
 * @returns {Promise<string>}
 */
async function node(program, args) {
  const result = await run(process.execPath, [inProject('node_modules', program), ...args]);
  return result.exitCode === 0 ? '' : result.output || `exit code ${result.exitCode}`;
}

/**
 * @param {'clang-format' | 'clang-tidy'} tool
 * @returns {Promise<string | undefined>} the program of the pinned release, if it is there
 */
export async function findClangTool(tool) {
  const name = `${tool}-${clangRelease}`;
  const { exitCode } = await run(name, ['--version']);
  return exitCode === 0 ? name : undefined;
}

/**
 * @param {string} program
 * @param {boolean} fix
 * @returns {Promise<string>}
 */
export async function clangFormat(program, fix) {
  const files = [
    ...listFiles('native', /\.(cc|h)$/),
    ...listFiles('test/native', /\.(cc|h)$/),
    ...listFiles('bench', /\.(c|h)$/),
  ];
  const mode = fix ? ['-i'] : ['--dry-run', '--Werror'];
  const result = await run(program, ['--style=file', ...mode, ...files]);
  return result.exitCode === 0 ? '' : result.output;
}

/**
 * Lints each C++ source. A source that was clean and did not change, nor any header, is not linted
 * again.
 *
 * @param {string} program
 * @returns {Promise<string>}
 */
export async function clangTidy(program) {
  const folder = 'build/check';
  await configure(folder);
  const sources = [...listFiles('native', /\.cc$/), ...listFiles('test/native', /\.cc$/)];
  const headers = [...listFiles('native', /\.h$/), ...listFiles('test/native', /\.h$/)];
  const common = digest(['.clang-tidy', 'CMakeLists.txt', ...headers], clangRelease);

  const cacheFile = inProject(folder, 'clang-tidy.json');
  const clean = new Set(readJson(cacheFile) ?? []);
  const keys = new Map(sources.map((source) => [source, digest([source], common)]));
  const pending = sources.filter((source) => !clean.has(keys.get(source)));
  let findings = '';
  const lintPending = async () => {
    for (let source = pending.pop(); source !== undefined; source = pending.pop()) {
      const result = await run(program, ['--quiet', '-p', folder, source]);
      if (result.exitCode === 0) clean.add(keys.get(source));
      else findings += result.output;
    }
  };
  await Promise.all([lintPending(), lintPending()]);

  const current = new Set(keys.values());
  mkdirSync(inProject(folder), { recursive: true });
  writeFileSync(cacheFile, JSON.stringify([...clean].filter((key) => current.has(key))));
  return findings;
}

/**
 * Writes the compile commands of every native source, the addon's and the tests' alike.
 *
 * @param {string} folder
 */
async function configure(folder) {
  const require = createRequire(inProject('package.json'));
  const headers = ['node-api-headers', 'node-addon-api'].map((name) =>
    path.resolve(require(name).include_dir),
  );
  forgetForeignCmakeCache(folder);
  const result = await run('cmake', [
    ...['-S', '.', '-B', folder, '-G', 'Ninja'],
    '-DKVSB_BUILD_TESTS=ON',
    `-DCMAKE_JS_INC=${headers.join(';')}`,
  ]);
  if (result.exitCode !== 0)
    throw buildError('the list of compile commands', 'cmake', result.output);
}

/**
 * @param {readonly string[]} files relative to the project
 * @param {string} seed
 * @returns {string}
 */
function digest(files, seed) {
  const hash = createHash('sha256').update(seed);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(inProject(file)));
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {any} undefined when there is no such file, or it is not JSON
 */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
