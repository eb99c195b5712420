import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { chooseSink } from '../../lib/kvssink/choose-sink.js';
import { KvsSink } from '../../lib/kvssink/kvs-sink.js';
import type { ElementAck, KvsSinkOptions } from '../../lib/kvssink/kvs-sink.js';
import { describeStatus, describeStatuses } from '../../lib/kvssink/status-names.js';
import type { DroppedEvent, FragmentRef } from '../../lib/putmedia/media-sink.js';
import type { PutMediaError } from '../../lib/util/errors.js';

const deadlineMs = 10_000;

/** The error with which the sink gives up. */
async function stuckOf(sink: KvsSink): Promise<PutMediaError> {
  const signal = AbortSignal.timeout(deadlineMs);
  const [error] = (await once(sink, 'stuck', { signal })) as [PutMediaError];
  return error;
}

function makeSink(options: Partial<KvsSinkOptions> = {}): KvsSink {
  return new KvsSink({ streamName: 'cam', persistTimeoutMs: 60_000, ...options });
}

function fragment(sink: KvsSink, timecodeMs: number, epoch = 0): void {
  sink.beginFragment({ epoch, timecodeMs });
  const frames = { videoFrames: 30, audioFrames: 47 };
  sink.endFragment({ epoch, timecodeMs, durationMs: 1_000, ...frames, bytes: 5_000 });
}

function ack(sink: KvsSink, type: ElementAck['ack'], timecodeMs: number, errorId = 0): void {
  sink.onAck({
    epoch: 0,
    ack: type,
    timecodeMs,
    fragmentNumber: `n${String(timecodeMs)}`,
    errorId,
  });
}

describe('bookkeeping of kvssink', () => {
  it('tells of each fragment once, however often the element sends it', async () => {
    await using sink = makeSink();
    const told: string[] = [];
    for (const name of ['buffering', 'received', 'persisted'] as const) {
      sink.on(name, ({ timecodeMs, fragmentNumber }: FragmentRef) =>
        told.push(`${name} ${String(timecodeMs)} ${String(fragmentNumber)}`),
      );
    }
    fragment(sink, 1_000);
    ack(sink, 'buffering', 1_000);
    ack(sink, 'received', 1_000);
    ack(sink, 'persisted', 1_000);
    ack(sink, 'persisted', 1_000);
    ack(sink, 'persisted', 7_777);
    assert.deepEqual(told, ['buffering 1000 n1000', 'received 1000 n1000', 'persisted 1000 n1000']);
    const { videoFramesIn, videoFramesStored, fragmentsPending } = sink.stats();
    assert.deepEqual([videoFramesIn, videoFramesStored, fragmentsPending], [30, 30, 0]);
  });

  it('counts a fragment that the element skips as lost, and one that it resends as pending', async () => {
    await using sink = makeSink();
    const lost: string[] = [];
    sink.on('dropped', ({ reason, videoFrames }) => lost.push(`${reason} ${String(videoFrames)}`));
    fragment(sink, 1_000);
    fragment(sink, 2_000);
    ack(sink, 'error', 1_000, 4004);
    ack(sink, 'error', 2_000, 5000);
    assert.deepEqual(lost, ['refused 30']);
    assert.equal(sink.stats().fragmentsPending, 1);
  });

  it('finds the fragment of a refusal that names none, as one that the next overtakes', async () => {
    await using sink = makeSink();
    const lost: [string, number][] = [];
    sink.on('dropped', ({ reason, fromTimecodeMs }) => lost.push([reason, fromTimecodeMs]));
    fragment(sink, 1_000);
    fragment(sink, 2_000);
    ack(sink, 'persisted', 1_000);
    fragment(sink, 3_000);
    ack(sink, 'error', 2_750, 4006);
    assert.deepEqual(lost, []);
    ack(sink, 'persisted', 3_000);
    assert.deepEqual(lost, [['refused', 2_000]]);
    assert.equal(sink.stats().fragmentsPending, 0);
  });

  it('counts what was overtaken as lost in the end, and only what came last as pending', async () => {
    await using sink = makeSink();
    fragment(sink, 1_000);
    fragment(sink, 2_000);
    fragment(sink, 3_000);
    ack(sink, 'persisted', 2_000);
    sink.finish();
    sink.end();
    const { videoFramesLost, fragmentsPending } = sink.stats();
    assert.deepEqual([videoFramesLost, fragmentsPending], [30, 1]);
  });

  it('is stuck after an error that the element does not survive, and says what to do', async () => {
    await using sink = makeSink();
    const stuck = stuckOf(sink);
    fragment(sink, 1_000);
    ack(sink, 'error', 1_000, 4500);
    const error = await stuck;
    assert.match(error.message, /KMS_KEY_ACCESS_DENIED/);
    assert.match(error.fix ?? '', /KMS key/);
  });

  it('is stuck when nothing is persisted in time', async () => {
    await using sink = makeSink({ persistTimeoutMs: 1 });
    const stuck = stuckOf(sink);
    fragment(sink, 1_000);
    assert.match((await stuck).message, /nothing PERSISTED/);
  });

  it('gives up a fragment that others overtook', async () => {
    await using sink = makeSink({ persistTimeoutMs: 1 });
    const dropped = once(sink, 'dropped', { signal: AbortSignal.timeout(deadlineMs) });
    fragment(sink, 1_000);
    fragment(sink, 2_000);
    ack(sink, 'persisted', 2_000);
    const [{ fromTimecodeMs, reason }] = (await dropped) as [DroppedEvent];
    assert.deepEqual([fromTimecodeMs, reason], [1_000, 'neverPersisted']);
  });

  it('finds endless retries in the log', async () => {
    const lines = Array<string>(40).fill('WARN [cam] HTTP Error 403 : Response: {}');
    await using sink = makeSink({ readLog: () => lines.splice(0) });
    const stuck = stuckOf(sink);
    assert.match((await stuck).message, /HTTP 403/);
  });

  it('asks the archive what became of a failed element, and counts the rest as lost', async () => {
    await using sink = makeSink({
      isPersisted: () => Promise.resolve(new Map([[1_000, 'n1000']])),
    });
    fragment(sink, 1_000);
    fragment(sink, 2_000);
    ack(sink, 'received', 1_000);
    sink.onState({ epoch: 0, state: 'failed', status: 0x52000065, reason: '' });
    assert.equal(sink.isStuck, true);
    await sink.settle('elementFailed');
    const { videoFramesStored, videoFramesLost, fragmentsPending } = sink.stats();
    assert.deepEqual([videoFramesStored, videoFramesLost, fragmentsPending], [30, 30, 0]);
  });

  it('takes nothing for stored that the element was writing when it failed', async () => {
    await using sink = makeSink();
    sink.beginFragment({ epoch: 0, timecodeMs: 1_000 });
    sink.onState({ epoch: 0, state: 'failed', status: 0x52000065, reason: '' });
    ack(sink, 'received', 1_000);
    ack(sink, 'persisted', 1_000);
    const frames = { durationMs: 1_000, videoFrames: 30, audioFrames: 47, bytes: 5_000 };
    sink.endFragment({ epoch: 0, timecodeMs: 1_000, ...frames });
    fragment(sink, 2_000);
    ack(sink, 'persisted', 2_000);
    await sink.settle('elementFailed');
    const { videoFramesStored, videoFramesLost, fragmentsPending } = sink.stats();
    assert.deepEqual([videoFramesStored, videoFramesLost, fragmentsPending], [0, 60, 0]);
  });

  it('leaves what is not confirmed at the end pending', async () => {
    await using sink = makeSink();
    fragment(sink, 1_000);
    sink.finish();
    sink.onState({ epoch: 0, state: 'closed', status: 0, reason: '' });
    sink.end();
    const { pendingFragments, lostFragments } = await sink.drain({ timeoutMs: deadlineMs });
    assert.deepEqual([pendingFragments, lostFragments], [1, 0]);
  });
});

describe('choice of the sink', () => {
  const present = { hasOwnProcess: true, hasElement: () => true };
  const absent = { hasOwnProcess: true, hasElement: () => false };

  it('is kvssink where there is one, and the built-in sink elsewhere', () => {
    assert.equal(chooseSink('auto', present).sink, 'kvssink');
    assert.equal(chooseSink('auto', absent).sink, 'putmedia');
    assert.equal(chooseSink('auto', { ...present, hasOwnProcess: false }).sink, 'putmedia');
    assert.equal(chooseSink('putmedia', present).sink, 'putmedia');
    assert.equal(chooseSink('kvssink', present).sink, 'kvssink');
  });

  it('fails with the fix when kvssink is asked for in vain', () => {
    assert.throws(() => chooseSink('kvssink', absent), {
      code: 'KVSB_MISSING_PLUGIN',
      fix: /GST_PLUGIN_PATH/,
    });
  });
});

describe('names of statuses', () => {
  it('are those of the SDK', () => {
    assert.equal(describeStatus(0x52000065), 'ACK_ERR_KMS_KEY_ACCESS_DENIED (0x52000065)');
    assert.equal(describeStatus(0x12345678), '0x12345678');
    assert.equal(
      describeStatuses('put frame error occurred. Status: 0x3200000c'),
      'put frame error occurred. Status: MKV_LARGE_FRAME_TIMECODE (0x3200000c)',
    );
  });
});
