/** What a Bridge received and could not store, the next one stores. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type { PersistedFragment } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';
import { RecordingSession } from '../support/recording-session.js';
import { SpoolPlace } from '../support/spool.js';
import { readStoredMedia, readTestPattern } from '../support/stored-media.js';

const deadlineMs = 30_000;

/** Ids of the processes that a process started. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

describe('A Bridge with a spool', () => {
  it('keeps what it could not store when it was stopped, and the next one stores it', async () => {
    await using place = await SpoolPlace.create();
    await using session = await RecordingSession.start('putmedia', {
      bridge: { spoolDir: place.folder, drainTimeoutMs: 2_000 },
    });
    const { stack, bridge } = session;
    await session.untilPersisted(1);
    using outage = stack.kvs.faults.failCalls({
      operation: 'PutMedia',
      status: 503,
      type: 'ServiceUnavailable',
      times: 10_000,
    });
    stack.kvs.faults.cutPutMedia();
    await eventThat(bridge, 'spool', ({ fragments }) => fragments >= 3, deadlineMs);
    const { totals } = await bridge.stop();
    assert.ok(totals.videoFramesPending > 30, `${String(totals.videoFramesPending)} pending`);
    assert.equal(totals.videoFramesSpooled, totals.videoFramesPending);
    assert.equal(totals.videoFramesLost, 0);
    await session.master.stop();
    outage.remove();

    // Nobody is there to be recorded.
    const next = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      sink: 'putmedia',
      spoolDir: place.folder,
    });
    let recoveredFrames = 0;
    const done = eventThat(
      next,
      'persisted',
      ({ recovered, videoFrames }: PersistedFragment) => {
        assert.equal(recovered, true);
        recoveredFrames += videoFrames;
        return recoveredFrames >= totals.videoFramesSpooled;
      },
      deadlineMs,
    );
    await next.start();
    await done;
    const end = await next.stop();
    assert.equal(end.totals.videoFramesRecovered, totals.videoFramesSpooled);
    assert.equal(end.totals.videoFramesStored, 0);
    assert.deepEqual(await place.files(), []);
    const media = await readStoredMedia(stack);
    const { frames, missing, repeated } = await readTestPattern(media);
    assert.deepEqual([media.duplicates, missing, repeated], [0, 0, 0]);
    assert.equal(frames.length, totals.videoFramesReceived - totals.videoFramesLost);
  });

  it('stores once what it had when it was killed with all its processes', async () => {
    await using stack = await LocalStack.start();
    await using place = await SpoolPlace.create();
    const start = (): Cli =>
      new Cli(
        ['start', '--channel', stack.channel, '--stream', stack.stream, '--json'].concat(
          ['--sink', 'putmedia', '--fragment-seconds', '1', '--spool-dir', place.folder],
          ['--local', stack.kvs.url, '--totals-interval', '1', '--jitter-buffer-ms', '1000'],
        ),
      );
    await using master = new TestMaster({
      ...stack.connection,
      ...{ width: 640, height: 360, videoBitrateBps: 600_000 },
    });
    await master.start();
    using withheld = stack.kvs.faults.delayPersisted({ delayMs: Infinity });
    using killed = start();
    await killed.until('spool', ({ fragments }) => Number(fragments) >= 3);
    const pids = [...(await childrenOf(killed.child.pid ?? 0)), killed.child.pid ?? 0];
    assert.equal(pids.length, 2);
    const onDisk = (await place.files()).map((name) => Number(/(\d+)-\d+\.\w+$/.exec(name)?.[1]));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await killed.end();
    await master.stop();
    withheld.remove();
    // What KVS had of the broken connection is in the archive by then.
    await delay(100);

    using next = start();
    const deadlineAtMs = Date.now() + deadlineMs;
    for (let left = await place.files(); left.length > 0; left = await place.files()) {
      assert.ok(Date.now() < deadlineAtMs, `still in the spool: ${left.join()}`);
      await delay(50);
    }
    next.child.kill('SIGTERM');
    assert.equal((await next.end()).exitCode, 0);
    const media = await readStoredMedia(stack);
    const stored = media.fragments.map(({ timecodeMs }) => timecodeMs);
    assert.deepEqual(
      onDisk.filter((timecodeMs) => !stored.includes(timecodeMs)),
      [],
    );
    const { missing, repeated } = await readTestPattern(media);
    assert.deepEqual([media.duplicates, missing, repeated], [0, 0, 0]);
  });
});
