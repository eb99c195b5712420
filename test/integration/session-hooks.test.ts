/** What a program has a say in, through a whole recording: hooks, credentials, GStreamer's log. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster, createLogger, localCredentials } from '../../lib/index.js';
import type { AwsCredentials, FragmentEvent, StateChange } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 30_000;

function keys(name: string): AwsCredentials & { readonly sessionToken: string } {
  return {
    accessKeyId: `AKID${name}`,
    secretAccessKey: `secret-access-key-of-${name}`,
    sessionToken: `session-token-of-${name}`,
  };
}

describe('A program that has a say', () => {
  it('tags sessions and fragments, gives out keys, and reads the log of GStreamer', async () => {
    const first = keys('FIRST');
    const second = keys('SECOND');
    await using stack = await LocalStack.start({ credentials: [localCredentials, first, second] });
    const stored: FragmentEvent[] = [];
    const refusedUploads: string[] = [];
    stack.kvs.on('fragment', (fragment) => stored.push(fragment));
    stack.kvs.on('request', ({ operation, errorType }) => {
      if (operation === 'PutMedia' && errorType !== undefined) refusedUploads.push(errorType);
    });
    await using master = new TestMaster({
      ...stack.connection,
      ...{ width: 480, height: 272, videoBitrateBps: 300_000, audio: false },
    });
    await master.start();

    let vault: AwsCredentials | undefined;
    const sessions: string[] = [];
    const begun: number[] = [];
    const lines: Record<string, unknown>[] = [];
    await using bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      fragmentTargetMs: 1_000,
      // Its promise rejects until there are keys.
      credentials: () => vault ?? Promise.reject(new Error('the vault is sealed')),
      hooks: {
        beforeSession: ({ sessionId, iceServers }) => {
          sessions.push(sessionId);
          assert.deepEqual(iceServers, []);
          return Promise.resolve({ tags: { 'session-number': String(sessions.length) } });
        },
        fragmentTags: ({ timecodeMs }) => {
          begun.push(timecodeMs);
          return { after: String(timecodeMs) };
        },
      },
      logger: createLogger({
        level: 'trace',
        write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
      }),
      gstDebug: 'GST_STATES:4',
    });
    const sealed = eventThat(
      bridge,
      'state',
      ({ reason }: StateChange) => reason?.includes('the vault is sealed') ?? false,
      deadlineMs,
    );
    const persistedAfter = (fromMs: number): Promise<unknown> =>
      eventThat(bridge, 'persisted', ({ timecodeMs }) => timecodeMs > fromMs, deadlineMs);
    const started = bridge.start();
    await sealed;
    const recorded = persistedAfter(0);
    vault = first;
    await started;
    await recorded;

    // The first keys end; whoever asks then gets others.
    stack.kvs.faults.revokeKeys(first);
    vault = second;
    const cutAtMs = Date.now();
    const rotated = persistedAfter(cutAtMs + 1_000);
    assert.equal(stack.kvs.faults.cutPutMedia(), 1);
    await rotated;
    const { error, totals } = await bridge.stop();

    assert.equal(error, undefined);
    const { videoFramesReceived, videoFramesStored, videoFramesLost, videoFramesPending } = totals;
    assert.equal(
      videoFramesReceived,
      videoFramesStored + videoFramesLost + videoFramesPending,
      JSON.stringify(totals),
    );
    // The upload after the cut was signed with the keys that had ended, the one after that was not.
    assert.deepEqual([...new Set(refusedUploads)], ['ExpiredTokenException']);

    assert.equal(sessions.length, 1);
    assert.ok(stored.length >= 2);
    for (const { metadata } of stored) {
      assert.equal(metadata['kvsb-session'], sessions[0]);
      assert.equal(metadata['session-number'], '1');
    }
    const timecodes = stored.map(({ producerTimestampMs }) => Math.round(producerTimestampMs));
    assert.deepEqual(begun, [...new Set(timecodes)]);
    const tagged = stored.filter(({ metadata }) => 'after' in metadata);
    assert.ok(tagged.length > 0);
    assert.ok(!('after' in (stored[0]?.metadata ?? {})));
    for (const { metadata, producerTimestampMs } of tagged) {
      const afterMs = Number(metadata['after']);
      assert.ok(timecodes.includes(afterMs) && afterMs < producerTimestampMs, metadata['after']);
    }

    // Its own lines have a category; how many were left out is told beside them.
    const categories = lines.flatMap(({ component, category, level }) =>
      component === 'gstreamer' && category !== undefined ? [[level, category]] : [],
    );
    assert.ok(categories.length > 0);
    assert.deepEqual([...new Set(categories.map(String))], ['debug,GST_STATES']);
  });
});
