/**
 * `npm test -- [group…] [filter…]`: set-up, then the tests. Groups are unit, infra,
 * integration, conformance, matrix, browser and native, all of them by default; anything else is a part
 * of a test file's name. The last line on stdout is the sum: "N passed, N failed, N skipped".
 */
import { setUp, setUpTools } from './setup.mjs';
import { ensureInfra } from './setup/project.mjs';
import { runScript } from './setup/setup-error.mjs';
import { findChromium } from './testing/chromium.mjs';
import { add, noTests } from './testing/counts.mjs';
import { prepareNativeTests } from './testing/native-tests.mjs';
import { isInfraMeant, nodeTestFiles, runNodeTests } from './testing/node-tests.mjs';

/**
 * Stages follow one another, the lanes of a stage run side by side, the groups of a lane follow one
 * another. A browser mostly waits, which leaves a machine of two cores room for another group.
 *
 * @type {readonly (readonly (readonly import('./testing/node-tests.mjs').NodeGroup[])[])[]}
 */
const stages = [[['unit', 'infra', 'integration', 'matrix']], [['browser'], ['conformance']]];

// Native comes last: its programs are built while the others run.
const groups = [...stages.flat(2), 'native'];

await runScript(async () => {
  const args = process.argv.slice(2);
  const chosen = groups.filter((group) => args.includes(group));
  const filters = args.filter((argument) => !groups.includes(argument));
  const needsNode = chosen.length === 0 || chosen.some((group) => group !== 'native');
  await (needsNode ? setUp('test') : setUpTools('test'));

  const running = chosen.length > 0 ? chosen : groups;
  const native = running.includes('native') ? prepareNativeTests(filters) : undefined;
  let total = noTests;
  try {
    for (const lanes of stages) {
      const chosenLanes = lanes.map((lane) => lane.filter((group) => running.includes(group)));
      const counts = await Promise.all(chosenLanes.map((lane) => runLane(lane, filters)));
      total = counts.reduce(add, total);
    }
    if (native !== undefined) total = add(total, await native.run());
  } finally {
    native?.abort();
  }
  const { passed, failed, skipped } = total;
  if (passed + failed === 0) process.stdout.write('No test ran, which counts as a failure.\n');
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});

/**
 * @param {readonly import('./testing/node-tests.mjs').NodeGroup[]} lane
 * @param {readonly string[]} filters
 * @returns {Promise<import('./testing/counts.mjs').Counts>}
 */
async function runLane(lane, filters) {
  let total = noTests;
  for (const group of lane) total = add(total, await runGroup(group, filters));
  return total;
}

/**
 * @param {import('./testing/node-tests.mjs').NodeGroup} group
 * @param {readonly string[]} filters
 * @returns {Promise<import('./testing/counts.mjs').Counts>}
 */
async function runGroup(group, filters) {
  if (group === 'infra' && isInfraMeant(filters)) await ensureInfra();
  const files = nodeTestFiles(group, filters);
  if (files.length === 0) return noTests;
  if (group === 'browser') {
    const chromium = findChromium();
    if (chromium === undefined) {
      process.stdout.write(
        'Browser tests are skipped: there is no Chromium; KVSB_CHROMIUM can name one.\n',
      );
      return { ...noTests, skipped: files.length };
    }
    process.env.KVSB_CHROMIUM = chromium;
  }
  return runNodeTests(group, files);
}
