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
  // Two at a time, since most of them wait for media in real time.
  const ctest = await run('ctest', [
    ...['--test-dir', folder, '--parallel', '2', '--output-on-failure', '--no-tests=error'],
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
