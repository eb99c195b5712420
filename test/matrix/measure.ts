/** Runs one row of the matrix against one sink. */
import { setTimeout as delay } from 'node:timers/promises';
import { KvsBridge } from '../../lib/index.js';
import type { BridgeEnd } from '../../lib/index.js';
import { LocalStack } from '../support/local-stack.js';
import { missingSink, sinkOptions } from '../support/sinks.js';
import type { SinkName } from '../support/sinks.js';
import { readStoredMedia, readTestPattern } from '../support/stored-media.js';
import type { StoredMedia } from '../support/stored-media.js';
import { faultsOf, figuresOf } from './result.js';
import type { RowResult } from './result.js';
import { patientJitterBufferMs } from './row.js';
import type { MatrixRow, RunningSource } from './row.js';

/** How long the first persisted fragment may take, in ms. */
const startLimitMs = 60_000;

const nothing: StoredMedia = { fragments: [], duplicates: 0, epochs: [] };

/** Never rejects: what goes wrong is part of the result. */
export async function measure(row: MatrixRow, sink: SinkName): Promise<RowResult> {
  const notRun = missingSink(sink) ?? row.missing?.();
  if (notRun !== undefined) return { row: row.id, sink, notRun, faults: [] };
  try {
    return await run(row, sink);
  } catch (error) {
    return { row: row.id, sink, faults: [error instanceof Error ? error.message : String(error)] };
  }
}

async function run(row: MatrixRow, sink: SinkName): Promise<RowResult> {
  await using stack = await LocalStack.start(row.kvs);
  await using source = await row.start(stack);
  await using bridge = new KvsBridge({
    ...stack.connection,
    stream: stack.stream,
    spoolDir: stack.spoolDir,
    ...sinkOptions(sink),
    jitterBufferMs: patientJitterBufferMs,
    ...row.bridge,
  });
  const told = new Set<string>();
  bridge.on('warning', ({ code }) => told.add(code));
  await bridge.start();
  await untilPersisted(bridge, row.expect.endsWith);
  await play(row, source, bridge);
  const sent = await source.framesSent();
  const end = await bridge.stop();
  const isStored = (await stack.listFragments()).length > 0;
  const media = isStored ? await readStoredMedia(stack) : nothing;
  const pattern = row.hasTestPicture ? await readTestPattern(media) : undefined;
  const figures = figuresOf({
    sent,
    ...leadingCounts(end),
    media,
    pattern,
    // An error that ends a session may leave the Bridge waiting for the next one.
    endedWith: end.error?.code ?? row.expect.endsWith?.find((code) => told.has(code)),
  });
  return { row: row.id, sink, figures, faults: faultsOf(row, figures, pattern) };
}

/** Until media is kept, or the Bridge gave up or told of an error that is expected. */
async function untilPersisted(
  bridge: KvsBridge,
  expectedErrors: readonly string[] = [],
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`nothing persisted within ${String(startLimitMs)} ms: ${bridge.state}`));
    }, startLimitMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    bridge.once('persisted', done);
    bridge.once('stopped', done);
    bridge.on('warning', ({ code }) => {
      if (expectedErrors.includes(code)) done();
    });
  });
}

/** Lets a source send for its time, and does what its script says. */
async function play(row: MatrixRow, source: RunningSource, bridge: KvsBridge): Promise<void> {
  const over = new AbortController();
  bridge.once('stopped', () => {
    over.abort();
  });
  bridge.on('warning', ({ code }) => {
    if (row.expect.endsWith?.includes(code) === true) over.abort();
  });
  if (bridge.state === 'stopped') return;
  let nowMs = 0;
  const waitUntil = async (atMs: number): Promise<void> => {
    await delay(atMs - nowMs, undefined, { signal: over.signal }).catch(() => undefined);
    nowMs = atMs;
  };
  for (const { atMs, act } of row.script ?? []) {
    await waitUntil(atMs);
    if (!over.signal.aborted) await act(source);
  }
  await waitUntil(row.durationMs);
}

/** Counts of the video, or of the audio where there is no video. */
function leadingCounts({ totals }: BridgeEnd): {
  readonly received: number;
  readonly lost: number;
  readonly stored: number;
} {
  if (totals.videoFramesReceived === 0) {
    const { audioFramesReceived, audioFramesStored } = totals;
    return { received: audioFramesReceived, lost: 0, stored: audioFramesStored };
  }
  return {
    received: totals.videoFramesReceived,
    lost: totals.videoFramesLost,
    stored: totals.videoFramesStored,
  };
}
