/** Builds and runs the C++ tests under the sanitizers. */
import { readFileSync, rmSync } from 'node:fs';
import { listFiles } from '../setup/fingerprint.mjs';
import { inProject } from '../setup/paths.mjs';
import { buildError, forgetForeignCmakeCache } from '../setup/project.mjs';
import { run, runInBackground, step } from '../setup/run.mjs';
import { add, noTests } from './counts.mjs';

/** Tests of code that starts no thread and takes no lock, in which TSan has nothing to find. */
const singleThreaded = new Set([
  'av1_assembler_test',
  'bitrate_follower_test',
  'fragment_tags_test',
  'ice_server_test',
  'mkv_writer_test',
  'nal_units_test',
  'offer_caps_test',
  'offer_reader_test',
  'peer_watch_test',
  'recorder_property_test',
  'recorder_sound_test',
  'recorder_test',
  'recorder_tracks_test',
  'rtp_timeline_test',
  'sdp_guard_test',
  'transport_stats_test',
]);

/**
 * AddressSanitizer and ThreadSanitizer exclude each other, so there are two builds. `parallel` tests
 * of each run at a time, most of which wait for media in real time.
 */
const builds = [
  {
    name: 'asan',
    title: 'ASan and UBSan',
    sanitizers: 'address,undefined',
    parallel: 2,
    serves: () => true,
  },
  {
    name: 'tsan',
    title: 'TSan',
    sanitizers: 'thread',
    parallel: 1,
    serves: (name) => !singleThreaded.has(name),
  },
];

/**
 * Builds the programs in the background: with the least priority, since the tests that run meanwhile
 * wait for media most of the time, and compilers may have what they leave.
 *
 * @param {readonly string[]} filters parts of test names; none means all
 * @returns {{ run(): Promise<import('./counts.mjs').Counts>, abort(): void }} `run` waits for the
 *   builds and runs the tests, each of which counts once per sanitizer build; `abort` is for a run
 *   that ends before
 * @throws {import('../setup/setup-error.mjs').SetupError} by `run`, when something does not compile
 */
export function prepareNativeTests(filters) {
  const names = listFiles('test/native', /_test\.cc$/)
    .map((file) => file.replace(/^.*\/|\.cc$/g, ''))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
  const meant = builds
    .map((build) => ({ ...build, names: names.filter(build.serves) }))
    .filter((build) => build.names.length > 0);
  const aborting = new AbortController();
  process.once('exit', () => aborting.abort());
  const built = buildAll(meant, aborting.signal);
  // Whoever calls `run` hears of it; until then it is nobody's.
  built.catch(() => undefined);
  return {
    async run() {
      await built;
      const counts = await Promise.all(meant.map(runBuild));
      return counts.reduce(add, noTests);
    },
    abort() {
      aborting.abort();
    },
  };
}

/**
 * @typedef {typeof builds[number] & { readonly names: readonly string[] }} Build what of it is meant
 */

/**
 * @param {readonly Build[]} meant
 * @param {AbortSignal} signal
 */
async function buildAll(meant, signal) {
  for (const { name, title, sanitizers, names } of meant) {
    const folder = `build/${name}`;
    await step(`building the native tests with ${title}`, async () => {
      forgetForeignCmakeCache(folder);
      const configured = await run('cmake', [
        ...['-S', '.', '-B', folder, '-G', 'Ninja'],
        '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
        '-DKVSB_BUILD_TESTS=ON',
        '-DKVSB_WERROR=ON',
        `-DKVSB_SANITIZE=${sanitizers}`,
      ]);
      if (configured.exitCode !== 0) throw buildError('CMake', name, configured.output);
      const args = ['--build', folder, '--parallel', '2', '--target', ...names];
      const built = await runInBackground('cmake', args, signal);
      if (built.exitCode !== 0) throw buildError('a native test', name, built.output);
    });
  }
}

/**
 * @param {Build} build
 * @returns {Promise<import('./counts.mjs').Counts>}
 */
async function runBuild({ name, parallel, names }) {
  const folder = `build/${name}`;
  rmSync(inProject(folder, 'results'), { recursive: true, force: true });
  const ctest = await run('ctest', [
    ...['--test-dir', folder, '--parallel', String(parallel)],
    ...['--output-on-failure', '--no-tests=error'],
    ...['--tests-regex', `^(${names.join('|')})$`],
  ]);
  let counts = noTests;
  for (const test of names) {
    const { seconds, ...result } = resultOf(`${folder}/results/${test}.json`);
    const count = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
    process.stdout.write(`${folder}/${test}: ${count}, ${seconds.toFixed(1)} s\n`);
    counts = add(counts, result);
  }
  if (ctest.exitCode === 0) return counts;
  process.stdout.write(ctest.output);
  // A sanitizer's finding at exit fails no single test, yet it must fail the run.
  return counts.failed === 0 ? add(counts, { ...noTests, failed: 1 }) : counts;
}

/**
 * @param {string} file GoogleTest's JSON report, relative to the project
 * @returns {import('./counts.mjs').Counts & { readonly seconds: number }}
 */
function resultOf(file) {
  let counts = noTests;
  let seconds = 0;
  try {
    const report = JSON.parse(readFileSync(inProject(file), 'utf8'));
    seconds = Number.parseFloat(report.time);
    for (const { failures, result } of report.testsuites.flatMap(({ testsuite }) => testsuite)) {
      const outcome =
        failures !== undefined ? 'failed' : result === 'COMPLETED' ? 'passed' : 'skipped';
      counts = add(counts, { ...noTests, [outcome]: 1 });
    }
  } catch {
    // No report: the program died before its end, which ctest's exit code tells as well.
  }
  return { ...counts, seconds };
}
