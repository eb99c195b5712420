/** Records every source with the image, each from a local KVS. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { findChromium } from '../testing/chromium.mjs';
import { inProject } from '../setup/paths.mjs';
import { finishedRoot } from './build.mjs';
import { runImage } from './image.mjs';
import { scoped } from './running.mjs';

/** Masters from `kvs-bridge publish` of the image. Debian has no element that sends AV1. */
const published = [
  ['h264', 'opus'],
  ['h265', 'pcmu'],
  ['vp8', 'pcma'],
  ['vp9', 'opus'],
];

/** Fragments that must be stored of each source. */
const fragments = 3;

/** @typedef {(what: string, good: boolean, found: string) => void} Report */

/** @param {Report} report */
export async function checkSources(report) {
  await checkDemo(report);
  for (const [video, audio] of published) await checkPublished(report, video, audio);
  await checkAv1(report);
  await checkRelay(report);
}

/**
 * Of an image that was built with KVSSINK_IMAGE.
 *
 * @param {Report} report
 */
export async function checkKvsSink(report) {
  if (!existsSync(path.join(finishedRoot, 'opt/kvssink/plugins'))) {
    report('kvssink', true, 'not in this image');
    return;
  }
  await withPublisher(['--video-codec', 'h264'], (args) =>
    checkRecording(report, 'h264 and opus with kvssink', [...args, '--sink', 'kvssink'], 'h264'),
  );
}

/** @param {Report} report */
async function checkDemo(report) {
  await scoped(async (use) => {
    const demo = use(runImage(['demo', '--duration', '8', '--json']));
    const exitCode = await demo.ended();
    const summary = demo.events.find(({ event }) => event === 'summary');
    const found = summary === undefined ? demo.lines.slice(-5).join('\n') : JSON.stringify(summary);
    report('demo', exitCode === 0 && summary !== undefined, found);
  });
}

/**
 * @param {Report} report
 * @param {string} video
 * @param {string} audio
 */
async function checkPublished(report, video, audio) {
  await withPublisher(['--video-codec', video, '--audio-codec', audio], (args) =>
    checkRecording(report, `${video} and ${audio} of publish`, args, video),
  );
}

/**
 * All three parts from the image.
 *
 * @param {readonly string[]} codecs
 * @param {(args: readonly string[]) => Promise<void>} work is given the arguments of `start`
 */
async function withPublisher(codecs, work) {
  await scoped(async (use) => {
    const local = use(runImage(['local', '--port', '0', '--json'], { volume: 'local' }));
    const { endpoint } = await local.event(({ event }) => event === 'ready', 'local KVS');
    const publisher = use(
      runImage([
        ...['publish', '--local', endpoint, '--channel', 'camera', '--create-channel', '--json'],
        ...['--width', '640', '--height', '360', ...codecs],
      ]),
    );
    await publisher.event(({ event }) => event === 'ready', 'master');
    const names = ['--channel', 'camera', '--stream', 'camera', '--create-stream'];
    await work(['--local', endpoint, ...names]);
  });
}

/** @param {Report} report */
async function checkAv1(report) {
  await scoped(async (use) => {
    const { LocalStack } = await import(inProject('dist/test/support/local-stack.js'));
    const { BrowserSource } = await import(inProject('dist/test/matrix/browser-source.js'));
    process.env.KVSB_CHROMIUM = findChromium();
    const stack = use(await LocalStack.start({ tls: 'self-signed' }));
    const browser = use(
      await BrowserSource.start(stack, {
        media: { audio: true, video: { width: 640, height: 360, frameRate: 30 } },
        videoCodec: 'AV1',
      }),
    );
    await checkRecording(report, 'av1 and opus of Chromium', connection(stack), 'av1');
    report('frames sent by Chromium', (await browser.framesSent()) > 0, 'some');
  });
}

/** @param {Report} report */
export async function checkRelay(report) {
  await scoped(async (use) => {
    const { LocalStack } = await import(inProject('dist/test/support/local-stack.js'));
    const { TurnServer, turnSecret } = await import(inProject('dist/test/support/turn-server.js'));
    const address = ownAddress();
    const port = await freePort(address);
    const turn = use(await TurnServer.start({ address, port }));
    const uris = [`turn:${address}:${port}?transport=udp`];
    const iceServer = { uris, username: '', password: '', secret: turnSecret };
    const stack = use(await LocalStack.start({ iceServers: [iceServer] }));
    const args = connection(stack);
    const publisher = use(runImage(['publish', ...args.slice(0, 4), '--json']));
    await publisher.event(({ event }) => event === 'ready', 'master');
    await checkRecording(report, 'h264 and opus through TURN', [...args, '--relay-only'], 'h264');
    report('TURN allocations', turn.allocations > 0, String(turn.allocations));
  });
}

/** An address of this machine that TURN servers relay to, which loopback is not. */
function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  const ipv4 = addresses.filter(({ family }) => family === 'IPv4');
  return (ipv4.find(({ internal }) => !internal) ?? ipv4[0]).address;
}

/** @param {string} address */
async function freePort(address) {
  const server = createServer();
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** What `start` connects to a stack with; its first four are for `publish` too. */
function connection(stack) {
  return ['--local', stack.kvs.url, '--channel', stack.channel, '--stream', stack.stream];
}

/**
 * @param {Report} report
 * @param {string} what
 * @param {readonly string[]} args of `start`
 * @param {string} video the codec that must have arrived
 */
async function checkRecording(report, what, args, video) {
  await scoped(async (use) => {
    const bridge = use(runImage(['start', ...args, '--video-codecs', video, '--json']));
    for (let count = 1; count <= fragments; count += 1) {
      const isEnough = ({ event }, index, all) =>
        event === 'persisted' &&
        all.slice(0, index + 1).filter((one) => one.event === 'persisted').length === count;
      await bridge.event(isEnough, `fragment ${count}`);
    }
    const codecs = bridge.events.filter(({ event }) => event === 'track').map(({ codec }) => codec);
    const exitCode = await bridge.stop();
    const stopped = bridge.events.find(({ event }) => event === 'stopped');
    const { framesReceived, framesStored, framesLost, framesPending } = stopped ?? {};
    const good =
      exitCode === 0 && framesPending === 0 && codecs.some((name) => name.toLowerCase() === video);
    const frames = `${framesReceived} frames received, ${framesStored} stored, ${framesLost} lost`;
    report(what, good, `${codecs.join(' and ')}: ${frames}, exit code ${exitCode}`);
  });
}
