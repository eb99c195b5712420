/** Runs one group of the TypeScript tests, compiled to dist/, with Node's own test runner. */
import { spawn } from 'node:child_process';
import { listFiles } from '../setup/fingerprint.mjs';
import { inProject, projectRoot } from '../setup/paths.mjs';
import { add, noTests } from './counts.mjs';

/**
 * @typedef {'unit' | 'infra' | 'integration' | 'conformance' | 'matrix' | 'browser'} NodeGroup
 */

/**
 * Files at a time. Those of integration use a quarter of a core each, since they wait for media in
 * real time; what starves loses frames.
 */
const settings = {
  unit: { concurrency: 2, timeoutMs: 120_000 },
  infra: { concurrency: 2, timeoutMs: 300_000 },
  integration: { concurrency: 3, timeoutMs: 300_000 },
  // The cases in these files run beside one another.
  conformance: { concurrency: 1, timeoutMs: 300_000 },
  matrix: { concurrency: 1, timeoutMs: 300_000 },
  browser: { concurrency: 1, timeoutMs: 600_000 },
};

/** How much longer than a test's own deadline the whole run may be silent. */
const stallMarginMs = 15_000;

/**
 * @param {NodeGroup} group
 * @param {readonly string[]} filters parts of file names; none means every file
 * @returns {string[]} compiled test files, relative to the project
 */
export function nodeTestFiles(group, filters) {
  const folder = group === 'infra' ? 'infra/dist/test' : `dist/test/${group}`;
  return chosen(listFiles(folder, /\.test\.js$/), filters);
}

/**
 * @param {readonly string[]} filters
 * @returns {boolean} whether they leave any test of infra/, which is worth setting it up
 */
export function isInfraMeant(filters) {
  return chosen(listFiles('infra/test', /\.test\.ts$/), filters).length > 0;
}

/**
 * @param {readonly string[]} files
 * @param {readonly string[]} filters
 * @returns {string[]}
 */
function chosen(files, filters) {
  return files.filter(
    (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
  );
}

/**
 * @param {NodeGroup} group
 * @param {readonly string[]} files
 * @returns {Promise<import('./counts.mjs').Counts>}
 */
export function runNodeTests(group, files) {
  const { concurrency, timeoutMs } = settings[group];
  const args = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMs}`,
    `--test-reporter=${inProject('scripts', 'testing', 'reporter.mjs')}`,
    '--test-reporter-destination=stdout',
    ...files,
  ];
  return new Promise((resolve, reject) => {
    // A process group of its own, so that a run that hangs ends with everything it started.
    const child = spawn(process.execPath, args, {
      cwd: projectRoot,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const killAll = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    // Each of the groups that run side by side ends its own when the process exits.
    const interrupted = (signal) => process.exit(signal === 'SIGINT' ? 130 : 143);
    process.on('exit', killAll).on('SIGINT', interrupted).on('SIGTERM', interrupted);

    // A file whose tests ended but whose process does not: Node 24's own deadline ignores it.
    let running = 'nothing yet';
    const stalled = () => {
      process.stdout.write(`No news for ${timeoutMs / 1000} s, the last was of ${running}.\n`);
      killAll();
    };
    let watchdog = setTimeout(stalled, timeoutMs + stallMarginMs);

    let counts = noTests;
    child.on('message', (message) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(stalled, timeoutMs + stallMarginMs);
      running = message.running ?? running;
      counts = message.counts ?? counts;
    });
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(watchdog);
      process.off('exit', killAll).off('SIGINT', interrupted).off('SIGTERM', interrupted);
      // The run may fail though no test did, for example when it was killed.
      const isSilentFailure = exitCode !== 0 && counts.failed === 0;
      resolve(isSilentFailure ? add(counts, { ...noTests, failed: 1 }) : counts);
    });
  });
}
