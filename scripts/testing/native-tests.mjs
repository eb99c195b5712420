/** Builds and runs the C++ tests under the sanitizers. */
import { readFileSync, rmSync } from 'node:fs';
import { listFiles } from '../setup/fingerprint.mjs';
import { inProject } from '../setup/paths.mjs';
import { buildError, forgetForeignCmakeCache } from '../setup/project.mjs';
import { run, step } from '../setup/run.mjs';
import { add, noTests } from './counts.mjs';

/** AddressSanitizer and ThreadSanitizer exclude each other, so there are two builds. */
const builds = [
  { name: 'asan', title: 'ASan and UBSan', sanitizers: 'address,undefined' },
  { name: 'tsan', title: 'TSan', sanitizers: 'thread' },
];

/**
 * @param {readonly string[]} filters parts of test names; none means all
 * @returns {Promise<import('./counts.mjs').Counts>} each test counts once per sanitizer build
 */
export async function runNativeTests(filters) {
  const names = listFiles('test/native', /_test\.cc$/)
    .map((file) => file.replace(/^.*\/|\.cc$/g, ''))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
  let counts = noTests;
  if (names.length === 0) return counts;
  for (const build of builds) counts = add(counts, await runBuild(build, names));
  return counts;
}

/**
 * @param {typeof builds[number]} build
 * @param {readonly string[]} names
 * @returns {Promise<import('./counts.mjs').Counts>}
 */
async function runBuild({ name, title, sanitizers }, names) {
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
    const built = await run('cmake', ['--build', folder, '--parallel', '2']);
    if (built.exitCode !== 0) throw buildError('a native test', name, built.output);
  });

  rmSync(inProject(folder, 'results'), { recursive: true, force: true });
  let counts = noTests;
  for (const test of names) {
    // One at a time: these tests, too, run media in real time.
    const started = performance.now();
    const ctest = await run('ctest', [
      ...['--test-dir', folder, '--output-on-failure', '--no-tests=error'],
      ...['--tests-regex', `^${test}$`],
    ]);
    const result = resultOf(`${folder}/results/${test}.json`, ctest.exitCode);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const count = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
    process.stdout.write(`${folder}/${test}: ${count}, ${seconds} s\n`);
    if (ctest.exitCode !== 0) process.stdout.write(ctest.output);
    counts = add(counts, result);
  }
  return counts;
}

/**
 * @param {string} file GoogleTest's JSON report, relative to the project
 * @param {number} exitCode
 * @returns {import('./counts.mjs').Counts}
 */
function resultOf(file, exitCode) {
  let counts = noTests;
  try {
    const { testsuites } = JSON.parse(readFileSync(inProject(file), 'utf8'));
    for (const { failures, result } of testsuites.flatMap(({ testsuite }) => testsuite)) {
      const outcome =
        failures !== undefined ? 'failed' : result === 'COMPLETED' ? 'passed' : 'skipped';
      counts = add(counts, { ...noTests, [outcome]: 1 });
    }
  } catch {
    // No report: the program died before its end, which the exit code tells as well.
  }
  // A sanitizer's finding at exit fails no single test, yet it must fail the run.
  return exitCode !== 0 && counts.failed === 0 ? add(counts, { ...noTests, failed: 1 }) : counts;
}
