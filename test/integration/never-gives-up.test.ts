/** What ends a recording, and what does not: the Bridge waits, says why, and goes on by itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { BridgeState, KvsBridge, KvsBridgeError, LocalKvs, TestMaster } from '../../lib/index.js';
import type { StateChange } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 30_000;
const retry = { minDelayMs: 50, maxDelayMs: 200, slowDelayMs: 400 } as const;
const picture = { width: 480, height: 270, videoBitrateBps: 300_000, audio: false } as const;

function stateOf(bridge: KvsBridge, wanted: BridgeState, reason = /(?:)/): Promise<unknown> {
  return eventThat(
    bridge,
    'state',
    (change: StateChange) => change.state === wanted && reason.test(change.reason ?? ''),
    deadlineMs,
  );
}

async function deleteChannel(stack: LocalStack): Promise<void> {
  const { channelArn, credentials, kvs, region } = stack;
  const client = new KinesisVideo({ region, credentials, endpoint: kvs.url });
  await client.deleteSignalingChannel({ ChannelARN: channelArn });
  client.destroy();
}

describe('a Bridge that never gives up', () => {
  it('waits at its first start for a KVS that comes later', async () => {
    await using stack = await LocalStack.start();
    const { port } = new URL(stack.kvs.url);
    await stack.kvs.close();
    await using bridge = new KvsBridge({ ...stack.connection, stream: stack.stream, retry });
    const started = bridge.start();
    await stateOf(bridge, BridgeState.reconnecting, /Cannot reach 127\.0\.0\.1/);
    await using kvs = await LocalKvs.start({
      dataDir: join(stack.folder, 'data'),
      port: Number(port),
      region: stack.region,
    });
    await started;
    assert.equal(bridge.state, BridgeState.waiting);
    assert.equal(kvs.region, stack.region);
  });

  it('keeps receiving when the stream is deleted, says so, and stores once it is back', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...picture });
    await master.start();
    const options = { ...stack.connection, stream: stack.stream, sink: 'putmedia' } as const;
    await using bridge = new KvsBridge({ ...options, retry, fragmentTargetMs: 1_000 });
    await bridge.start();
    await stateOf(bridge, BridgeState.recording);
    using fault = stack.kvs.faults.failCalls({
      operation: 'PutMedia',
      status: 404,
      type: 'ResourceNotFoundException',
      times: Infinity,
    });
    const degraded = stateOf(bridge, BridgeState.degraded, /no video stream.*--create-stream/);
    stack.kvs.faults.cutPutMedia();
    await degraded;
    const pid = bridge.mediaProcessId;
    const again = stateOf(bridge, BridgeState.recording);
    fault.remove();
    // As a new session of the same Bridge would: the sink itself asks once a minute only.
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    await again;
    const { totals } = await bridge.stop();
    assert.equal(totals.sessions, 2);
    assert.ok(totals.videoFramesRecovered > 0);
    const states = bridge.history.map(({ state }) => state);
    assert.deepEqual(states.slice(-2), ['stopping', 'stopped']);
  });

  it('tries again when the channel is gone, slowly, and ends with --exit-on-fatal only', async () => {
    for (const exitOnFatal of [false, true]) {
      await using stack = await LocalStack.start();
      await using bridge = new KvsBridge({
        ...{ ...stack.connection, stream: stack.stream, retry, exitOnFatal },
        ...{ signaling: { minDelayMs: 20, maxDelayMs: 50 }, offerLifetimeMs: 2_500 },
      });
      await bridge.start();
      await using controlPlane = stack.controlPlane();
      const ended = bridge.finished().then(
        () => 'stopped',
        (error: unknown) => (error instanceof KvsBridgeError ? error.code : error),
      );
      const degraded = stateOf(bridge, BridgeState.degraded, /no signaling channel/);
      if (exitOnFatal) degraded.catch(() => undefined);
      await deleteChannel(stack);
      if (exitOnFatal) {
        assert.equal(await ended, 'KVSB_CHANNEL_NOT_FOUND');
        continue;
      }
      await degraded;
      const waiting = stateOf(bridge, BridgeState.waiting);
      await controlPlane.createChannel(stack.channel);
      await waiting;
      await bridge.stop();
      assert.equal(await ended, 'stopped');
    }
  });
});
