/**
 * `npm run fresh-machine -- [bookworm|trixie…] [check|demo|test…]`: does what a user with a fresh
 * Debian does, Node and npm and nothing else: a clean checkout, `npm run demo -- --duration 10`,
 * `npm test`; or those that are named, of which `check` is the one of contributors. Each release gets
 * a root of its own, made by debootstrap in build/fresh, and each command its line in the report. It
 * needs root, debootstrap and about 6 GB for each release.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, copyRoot, ensureRootUser, must, runInRoot } from './container/root.mjs';
import { inProject, projectRoot } from './setup/paths.mjs';
import { run, step } from './setup/run.mjs';
import { runScript, SetupError } from './setup/setup-error.mjs';

/** The Debian releases that the README names, and where their Node comes from. */
const releases = {
  // Its own Node is 18, too old; so it gets this machine's, like a user who installed one.
  bookworm: installOwnNode,
  trixie: installDebianNode,
};

const commands = {
  check: ['npm', 'run', 'check'],
  demo: ['npm', 'run', 'demo', '--', '--duration', '10'],
  test: ['npm', 'test'],
};

/** Where nothing else is asked for: what the README tells a user to type. */
const usual = ['demo', 'test'];

const checkout = '/srv/kvs-bridge';

/** What a login shell of root sets. */
const settings = {
  user: 'root',
  folder: checkout,
  env: { HOME: '/root', LANG: 'C.UTF-8', npm_config_update_notifier: 'false' },
  network: true,
};

await runScript(async () => {
  ensureRootUser();
  const { suites, names } = chosenOf(process.argv.slice(2));
  const report = [];
  for (const suite of suites) {
    const root = await makeMachine(suite);
    for (const name of names) report.push(await runAsUser(suite, root, commands[name]));
  }
  process.stdout.write(`${report.map(({ line }) => line).join('\n')}\n`);
  if (report.some(({ exitCode }) => exitCode !== 0)) process.exitCode = 1;
});

/**
 * @param {readonly string[]} args
 * @returns {{ suites: readonly string[], names: readonly string[] }} releases, and names of commands
 */
function chosenOf(args) {
  const known = [...Object.keys(releases), ...Object.keys(commands)];
  const unknown = args.find((argument) => !known.includes(argument));
  if (unknown !== undefined) {
    throw new SetupError(`"${unknown}" is not known here`, `choose of: ${known.join(', ')}`);
  }
  const suites = Object.keys(releases).filter((suite) => args.includes(suite));
  const names = Object.keys(commands).filter((name) => args.includes(name));
  return {
    suites: suites.length > 0 ? suites : Object.keys(releases),
    names: names.length > 0 ? names : usual,
  };
}

/**
 * @param {string} suite
 * @returns {Promise<string>} the root
 */
async function makeMachine(suite) {
  const base = inProject('build', 'container', `base-${suite}`);
  const root = inProject('build', 'fresh', suite);
  await step(`debootstrap of ${suite}`, () => bootstrap(base, suite));
  await copyRoot(base, root);
  await releases[suite](root);
  await step('checking out', () => checkOut(path.join(root, checkout)));
  return root;
}

/** @param {string} root */
async function installDebianNode(root) {
  const install =
    'exec >/srv/apt.log 2>&1; apt-get update && DEBIAN_FRONTEND=noninteractive ' +
    'apt-get install --yes --no-install-recommends nodejs npm ca-certificates';
  const exitCode = await step('installing Node and npm', () =>
    runInRoot(root, { ...settings, folder: '/' }, ['sh', '-c', install]),
  );
  if (exitCode === 0) return;
  throw new SetupError('Node cannot be installed', `read ${path.join(root, 'srv/apt.log')}`);
}

/** @param {string} root */
async function installOwnNode(root) {
  const prefix = path.join(root, 'usr', 'local');
  const npmFolder = path.resolve(path.dirname(process.execPath), '../lib/node_modules/npm');
  cpSync(process.execPath, path.join(prefix, 'bin', 'node'));
  cpSync(npmFolder, path.join(prefix, 'lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(prefix, 'bin', name));
  }
  const exitCode = await runInRoot(root, { ...settings, folder: '/' }, ['node', '--version']);
  if (exitCode === 0) return;
  throw new SetupError(
    "this machine's Node does not run on its own in another system",
    'run this script with Node from nodejs.org',
  );
}

/**
 * What is committed, and nothing else.
 *
 * @param {string} folder
 */
async function checkOut(folder) {
  mkdirSync(folder, { recursive: true });
  const archive = inProject('build', 'fresh', 'checkout.tar');
  await must('git', ['-C', projectRoot, 'archive', `--output=${archive}`, 'HEAD']);
  await must('tar', ['--extract', `--file=${archive}`, `--directory=${folder}`]);
}

/**
 * @param {string} suite
 * @param {string} root
 * @param {readonly string[]} command
 * @returns {Promise<{ exitCode: number, line: string }>}
 */
async function runAsUser(suite, root, command) {
  const started = performance.now();
  const log = '/srv/output.log';
  const script = 'log="$1"; shift; "$@" >"$log" 2>&1; exit $?';
  const exitCode = await step(`${suite}: ${command.join(' ')}`, () =>
    runInRoot(root, settings, ['bash', '-c', script, 'user', log, ...command]),
  );
  const output = readFileSync(path.join(root, log), 'utf8');
  const kept = inProject(
    'build',
    'fresh',
    `${suite}-${command.join('-').replace(/\W+/g, '-')}.log`,
  );
  writeFileSync(kept, output);
  const seconds = Math.round((performance.now() - started) / 1000);
  const last = output.trimEnd().split('\n').at(-1);
  const { output: commit } = await run('git', ['-C', projectRoot, 'rev-parse', '--short', 'HEAD']);
  const line = `${suite} at ${commit.trim()}: ${command.join(' ')}: exit code ${exitCode} after ${seconds} s: ${last}`;
  return { exitCode, line };
}
