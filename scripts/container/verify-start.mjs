/** How the image's `start` begins, tells its health, and ends. */
import { inProject } from '../setup/paths.mjs';
import { image, runImage, runProgram } from './image.mjs';
import { scoped } from './running.mjs';

/** From exec to `recording`. */
const mostStartMs = 4000;
const starts = 7;

/** @typedef {(what: string, good: boolean, found: string) => void} Report */

/**
 * A local KVS and a master on this machine, as they would be elsewhere.
 *
 * @param {(args: string[]) => Promise<void>} work is given the arguments of `start`
 */
async function withMaster(work) {
  const { LocalStack } = await import(inProject('dist/test/support/local-stack.js'));
  const { TestMaster } = await import(inProject('dist/lib/index.js'));
  await scoped(async (use) => {
    const stack = use(await LocalStack.start());
    const master = use(new TestMaster({ ...stack.connection, width: 1280, height: 720 }));
    await master.start();
    const { kvs, channel, stream } = stack;
    await work(['start', '--local', kvs.url, '--channel', channel, '--stream', stream, '--json']);
  });
}

/** @param {Report} report */
export async function measureStart(report) {
  await withMaster(async (args) => {
    const times = [];
    for (let index = 0; index < starts; index += 1) {
      await scoped(async (use) => {
        const bridge = use(runImage(args));
        const recording = await bridge.event(isRecording, 'recording');
        times.push(Math.round(recording.arrivedMs));
        await bridge.stop();
      });
    }
    times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)];
    const found = `median ${median} ms, all ${times.join(' ')} ms; at most ${mostStartMs}`;
    report('exec to recording', times.at(-1) < mostStartMs, found);
  });
}

/** @param {Report} report */
export async function checkStop(report) {
  await withMaster(async (args) => {
    const before = await runProgram(image.healthcheck);
    report('health check without a bridge', before.exitCode !== 0, `exit code ${before.exitCode}`);
    await scoped(async (use) => {
      const bridge = use(runImage(args));
      await bridge.event(isRecording, 'recording');
      const during = await runProgram(image.healthcheck);
      report('health check while recording', during.exitCode === 0, `exit code ${during.exitCode}`);
      const exitCode = await bridge.stop();
      const stopped = bridge.events.find(({ event }) => event === 'stopped');
      const { framesReceived, framesStored } = stopped ?? {};
      const good = exitCode === 0 && framesReceived > 0 && framesStored === framesReceived;
      const found = `exit code ${exitCode}, ${framesStored} of ${framesReceived} frames stored`;
      report('SIGTERM to tini', good, found);
    });
  });
}

/** @param {{ event: string, state?: string }} event */
function isRecording({ event, state }) {
  return event === 'state' && state === 'recording';
}
