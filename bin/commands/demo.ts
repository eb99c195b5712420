/** `kvs-bridge demo`: local KVS, test master and Bridge on one machine. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  ErrorCode,
  KvsBridge,
  LocalKvs,
  LocalKvsError,
  analyzeRecording,
  describeEvent,
  localCredentials,
  writeRecording,
} from '../../lib/index.js';
import type { BridgeEnd, RecordingAnalysis } from '../../lib/index.js';
import { logOptions, reportBridge } from '../cli/bridge-report.js';
import type { commandOptions } from '../cli/command-options.js';
import type { Values } from '../cli/option-table.js';
import type { Output } from '../cli/output.js';
import type { CommandContext } from '../cli/command-context.js';
import { PublisherProcess } from '../demo/publisher-process.js';
import { summarize, summaryLines } from '../demo/summary.js';
import type { DemoRecording } from '../demo/summary.js';
import { requireSaved } from './start.js';

type DemoSettings = Values<(typeof commandOptions.demo)[number]>;

/** How long the last frames may take from the master to the Bridge's count at most, in ms. */
const catchUpLimitMs = 3_000;

/** Records the test master until the time is up or told to stop, then sums up. */
export async function runDemo(
  settings: DemoSettings,
  { output, signal }: CommandContext,
): Promise<void> {
  const name = `demo-${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`;
  await using data = await prepareDataDir(settings.dataDir);
  await using kvs = await LocalKvs.start({ dataDir: data.path });
  output.event(
    'ready',
    { endpoint: kvs.url, channel: name, stream: name },
    `local KVS on ${kvs.url}`,
  );
  await using publisher = await PublisherProcess.start({
    localUrl: kvs.url,
    channel: name,
    width: settings.width,
    height: settings.height,
    fps: settings.fps,
    bitrate: settings.bitrate,
    sound: settings.sound,
    onWarning: (error) => {
      output.warning(error);
    },
  });
  await using bridge = new KvsBridge({
    ...logOptions(settings, output, ['persisted']),
    channel: name,
    stream: name,
    endpoint: kvs.url,
    region: kvs.region,
    credentials: localCredentials,
    stunUri: null,
    createStream: true,
    audio: settings.audio,
    isolation: settings.isolation,
    sink: settings.sink,
    fragmentTargetMs: settings.fragmentSeconds,
    jitterBufferMs: settings.jitterBufferMs,
    bufferMb: settings.bufferMb,
    spoolDir: join(data.path, 'spool'),
    drainTimeoutMs: settings.drainTimeout,
  });
  reportBridge(bridge, output, settings);
  showPersisted(bridge, output);
  const firstPersisted = firstPersistedMs(bridge);
  const timeUp = untilTimeIsUp(bridge, settings.duration, signal);
  await bridge.start();
  await Promise.race([timeUp, bridge.finished(), publisher.failed()]);

  // The master first: what it says it sent by then can all arrive before the Bridge stops.
  const framesSent = await publisher.stop();
  await untilReceived(bridge, framesSent, settings.jitterBufferMs);
  const end: BridgeEnd = await bridge.stop();
  const { totals, error } = end;
  if (error !== undefined) throw error;
  // The spool goes with the folder: nobody sends what is left in it.
  requireSaved({ ...end, videoFramesUnsaved: totals.videoFramesPending }, settings.drainTimeout);

  const recording =
    totals.fragmentsPersisted === 0
      ? undefined
      : await makeRecording(kvs, name, settings.recording ?? join('recordings', `${name}.mkv`));
  const summary = summarize({
    framesSent,
    totals,
    firstPersistedMs: firstPersisted(),
    recording,
  });
  if (output.json) output.event('summary', summary, '');
  for (const line of summaryLines(summary)) output.print(line);
}

/** The folder that was asked for, or one that is gone afterwards. */
async function prepareDataDir(
  dataDir: string | undefined,
): Promise<AsyncDisposable & { readonly path: string }> {
  if (dataDir !== undefined) {
    return { path: resolve(dataDir), [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const path = await mkdtemp(join(tmpdir(), 'kvs-bridge-demo-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What the demo is about, and so louder than elsewhere. */
function showPersisted(bridge: KvsBridge, output: Output): void {
  bridge.subscribe((event) => {
    if (event.name !== 'persisted' || output.json) return;
    const { fields, message } = describeEvent(event);
    output.event(event.name, fields, message);
  });
}

function firstPersistedMs(bridge: KvsBridge): () => number | undefined {
  let firstMs: number | undefined;
  bridge.on('step', ({ step, elapsedMs }) => {
    if (step === 'persisted') firstMs = elapsedMs;
  });
  return () => firstMs;
}

/** Resolves `durationMs` after media began to arrive, or when told to stop. */
async function untilTimeIsUp(
  bridge: KvsBridge,
  durationMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  if (durationMs === undefined) {
    await stopped;
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    bridge.once('track', () => {
      timer = setTimeout(resolve, durationMs);
    });
  });
  await Promise.race([stopped, timeUp]);
  clearTimeout(timer);
}

/**
 * Resolves when the Bridge has counted `frames`, or when no more can come, as after a loss: when a
 * count brought none, and whatever waited for a lost packet has left the jitter buffer.
 */
async function untilReceived(
  bridge: KvsBridge,
  frames: number,
  jitterBufferMs: number,
): Promise<void> {
  const lastDueAtMs = performance.now() + jitterBufferMs;
  const limit = AbortSignal.timeout(catchUpLimitMs);
  try {
    while (bridge.totals.videoFramesReceived < frames) {
      const before = bridge.totals.videoFramesReceived;
      await once(bridge, 'totals', { signal: limit });
      const hasGrown = bridge.totals.videoFramesReceived > before;
      if (!hasGrown && performance.now() > lastDueAtMs) return;
    }
  } catch (error) {
    if (!limit.aborted) throw error;
  }
}

async function makeRecording(kvs: LocalKvs, stream: string, file: string): Promise<DemoRecording> {
  try {
    const { paths } = await writeRecording({ kvs, stream, path: resolve(file) });
    // One after the other: decoding takes all there is.
    const analyses: RecordingAnalysis[] = [];
    for (const path of paths) analyses.push(await analyzeRecording(path));
    return { paths, analyses };
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new LocalKvsError(
      ErrorCode.dataFolder,
      `The recording cannot be written: ${error.message}`,
      { fix: 'Choose another place with --recording, or correct the permissions.', cause: error },
    );
  }
}
