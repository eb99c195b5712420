/**
 * The real kvssink against the local KVS: what is its own, beyond what test/conformance asks of every
 * sink. Skipped, with the reason, where GStreamer finds none.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { KvsBridge } from '../../lib/index.js';
import type { KvsBridgeEvents } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { RecordingSession } from '../support/recording-session.js';
import { missingSink } from '../support/sinks.js';

const deadlineMs = 40_000;

/** Private folders of this process's sessions. */
function ownFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`kvs-bridge-kvssink-${String(process.pid)}-`),
  );
}

function untilState(
  { bridge }: RecordingSession,
  wanted: KvsBridgeEvents['state'][0]['state'],
): Promise<unknown> {
  return eventThat(
    bridge,
    'state',
    ({ state }: KvsBridgeEvents['state'][0]) => state === wanted,
    deadlineMs,
  );
}

describe('kvssink', { skip: missingSink('kvssink') ?? false }, () => {
  it('gets a fresh element per epoch, loses nothing, and leaves no file', async () => {
    await using session = await RecordingSession.start('kvssink');
    await session.untilPersisted(2);
    session.master.setSize(480, 270);
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assert.equal(end.error, undefined);
    assert.deepEqual(
      session.epochs.map(({ width }) => width),
      [640, 480],
    );
    assert.deepEqual([end.totals.videoFramesLost, end.totals.videoFramesPending], [0, 0]);
    assert.equal(end.totals.videoFramesStored, end.totals.videoFramesReceived);
    assert.equal(media.duplicates, 0);
    assert.deepEqual(ownFolders(), []);
  });

  it('is replaced with its process when it retries without end', async () => {
    await using session = await RecordingSession.start('kvssink');
    await session.untilPersisted(2);
    assert.equal(ownFolders().length, 1);
    const refused = session.stack.kvs.faults.failCalls({
      ...{ operation: 'PutMedia', status: 403, type: 'AccessDeniedException', times: 100_000 },
    });
    const replaced = untilState(session, 'reconnecting');
    session.stack.kvs.faults.cutPutMedia();
    await replaced;
    refused.remove();
    assert.ok(session.warnings.some(({ message }) => message.includes('HTTP 403')));
    await session.untilPersisted(2);
    const { error, totals } = await session.bridge.stop();
    assert.equal(error, undefined);
    assert.equal(
      totals.videoFramesReceived,
      totals.videoFramesStored + totals.videoFramesLost + totals.videoFramesPending,
    );
    assert.deepEqual(ownFolders(), []);
  });
});

describe('choice of kvssink', () => {
  it('is refused in the process of the caller', () => {
    assert.throws(
      () => new KvsBridge({ channel: 'c', stream: 's', sink: 'kvssink', isolation: 'none' }),
      { code: 'KVSB_OPTIONS', option: 'sink' },
    );
  });
});
