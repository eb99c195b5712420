/** The whole way: test master, local KVS, bridge, and what AWS's stock clients read back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { KvsBridge, SignalingError, TestMaster } from '../../lib/index.js';
import type { BridgeEnd, KvsBridgeOptions, PersistedFragment } from '../../lib/index.js';
import { decodeErrors, probe, readTestFrames, readTicksMs, skewsMs } from '../support/decode.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';
import { RawPeer } from '../support/raw-peer.js';

const small = { width: 640, height: 360, videoBitrateBps: 600_000 } as const;

interface Recording {
  readonly persisted: readonly PersistedFragment[];
  readonly states: readonly string[];
  readonly steps: readonly string[];
  readonly end: BridgeEnd;
}

/** Records a master until so many fragments are persisted. */
async function record(
  stack: LocalStack,
  fragments: number,
  options: Partial<KvsBridgeOptions> = {},
): Promise<Recording> {
  const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream, ...options });
  const persisted: PersistedFragment[] = [];
  const states: string[] = [];
  const steps: string[] = [];
  bridge.on('persisted', (fragment) => persisted.push(fragment));
  bridge.on('state', ({ state }) => states.push(state));
  bridge.on('step', ({ step }) => steps.push(step));
  const enough = eventThat(bridge, 'persisted', () => persisted.length >= fragments, 60_000);
  await bridge.start();
  await enough;
  const end = await bridge.stop();
  return { persisted, states, steps, end };
}

describe('KvsBridge', () => {
  it('stores every frame that arrived exactly once, in step with its sound', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    const { persisted, states, steps, end } = await record(stack, 4);

    assert.deepEqual(states, [
      'starting',
      'waiting',
      'connecting',
      'receiving',
      'recording',
      'stopping',
      'stopped',
    ]);
    assert.deepEqual(steps, [
      'resources',
      'signaling',
      'offer',
      'answer',
      'connected',
      'media',
      'uploading',
      'persisted',
    ]);
    const { totals } = end;
    assert.equal(end.error, undefined);
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.videoFramesLost, 0);
    assert.equal(totals.videoFramesPending, 0);
    assert.equal(totals.fragmentsPersisted, persisted.length);

    // Stopping persisted the last frame that was received.
    assert.ok(totals.newestPersistedMs >= totals.newestReceivedMs);

    // Every fragment but the last lasts 1 to 20 s and follows on the one before.
    for (const [index, fragment] of persisted.slice(0, -1).entries()) {
      assert.ok(fragment.durationMs >= 1_000 && fragment.durationMs <= 20_000);
      const next = persisted[index + 1];
      assert.equal(fragment.timecodeMs + fragment.durationMs, next?.timecodeMs);
    }

    const stored = await stack.listFragments();
    assert.deepEqual(
      stored.map(({ FragmentNumber }) => FragmentNumber),
      persisted.map(({ fragmentNumber }) => fragmentNumber),
    );
    const files = await stack.readFragments(stored);
    const counters: number[] = [];
    const skews: number[] = [];
    for (const file of files) {
      assert.equal(await decodeErrors(file), '');
      const streams = await probe(file);
      assert.deepEqual(
        streams.map(({ codec }) => codec),
        ['h264', 'aac'],
      );
      const frames = await readTestFrames(file);
      counters.push(...frames.map(({ counter }) => counter));
      skews.push(...skewsMs(frames, await readTicksMs(file)));
    }
    assert.deepEqual(
      counters,
      counters.map((_, index) => index),
      'burned-in counters have a gap or a repeat',
    );
    assert.equal(counters.length, totals.videoFramesStored);
    assert.ok(skews.length >= 3);
    for (const skew of skews) assert.ok(Math.abs(skew) <= 40, `A/V skew of ${String(skew)} ms`);
  });

  it("records the same way with isolation 'none'", async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    const { end } = await record(stack, 2, { isolation: 'none' });
    assert.equal(end.totals.videoFramesStored, end.totals.videoFramesReceived);
    assert.equal(end.totals.videoFramesLost, 0);
  });

  it('records a master without sound as video alone', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small, audio: false });
    await master.start();
    const { end, persisted } = await record(stack, 2);
    assert.equal(end.totals.videoFramesStored, end.totals.videoFramesReceived);
    assert.equal(end.totals.audioFramesStored, 0);
    const files = await stack.readFragments(await stack.listFragments());
    assert.equal(files.length, persisted.length);
    for (const file of files) {
      assert.equal(await decodeErrors(file), '');
      assert.deepEqual(
        (await probe(file)).map(({ kind }) => kind),
        ['video'],
      );
    }
  });

  it('comes back by itself when its media process is killed', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    await using bridge = new KvsBridge({ ...stack.connection, stream: stack.stream });
    const reasons: string[] = [];
    bridge.on('state', ({ state, reason }) => {
      if (state === 'reconnecting') reasons.push(reason ?? '');
    });
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, 30_000);
    const pid = bridge.mediaProcessId;
    assert.ok(pid !== undefined);
    const again = eventThat(bridge, 'state', ({ state }) => state === 'recording', 30_000);
    process.kill(pid, 'SIGKILL');
    await again;
    assert.match(reasons[0] ?? '', /media process ended by itself with signal SIGKILL/);
    assert.notEqual(bridge.mediaProcessId, pid);
    const { totals } = await bridge.stop();
    assert.equal(totals.sessions, 2);
  });

  it('makes a fresh offer to a master that offers other tracks, and keeps what came before', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    await using bridge = new KvsBridge({ ...stack.connection, stream: stack.stream });
    const warnings: string[] = [];
    bridge.on('warning', ({ message }) => warnings.push(message));
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, 30_000);
    await using controlPlane = stack.controlPlane();
    const { wss } = await controlPlane.signalingEndpoints(stack.channelArn, 'MASTER');
    const peer = await RawPeer.connect({ endpoint: String(wss), channelArn: stack.channelArn });
    const sdp = { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' };
    const again = eventThat(bridge, 'state', ({ state }) => state === 'recording', 30_000);
    peer.send({
      action: 'SDP_OFFER',
      recipientClientId: `kvs-bridge-${stack.stream}`,
      messagePayload: Buffer.from(JSON.stringify(sdp)).toString('base64'),
    });
    // The master of before takes the channel back, and answers it.
    await again;
    assert.match(warnings.join(), /change its tracks/);
    await peer.closed();
    const { totals } = await bridge.stop();
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.sessions, 2);
  });

  it('can be stopped at any moment, any number of times', async () => {
    await using stack = await LocalStack.start();
    const idle = new KvsBridge({ ...stack.connection, stream: stack.stream });
    const [first, second] = await Promise.all([idle.stop(), idle.stop()]);
    assert.equal(first, second);
    await assert.rejects(idle.start(), { code: 'KVSB_STATE' });

    // No master: waits, and ends when told to.
    const waiting = new KvsBridge({ ...stack.connection, stream: stack.stream });
    await waiting.start();
    const end = await waiting.stop();
    assert.equal(end.error, undefined);
    assert.equal(waiting.state, 'stopped');

    // While it is looking things up.
    const starting = new KvsBridge({ ...stack.connection, stream: stack.stream });
    const started = starting.start();
    const stopped = starting.stop();
    await started;
    assert.equal((await stopped).error, undefined);

    // By signal.
    const abort = new AbortController();
    const aborted = new KvsBridge({ ...stack.connection, stream: stack.stream });
    await aborted.start({ signal: abort.signal });
    const over = once(aborted, 'stopped');
    abort.abort();
    await over;
  });

  it('gives up with the cause and the fix when no master answers', async () => {
    await using stack = await LocalStack.start();
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      masterTimeoutMs: 1_000,
    });
    await bridge.start();
    await assert.rejects(bridge.finished(), (error: unknown) => {
      assert.ok(error instanceof SignalingError);
      assert.equal(error.code, 'KVSB_NO_MASTER');
      assert.match(error.message, /front-door/);
      assert.match(error.fix ?? '', /master/);
      return true;
    });
  });

  it('refuses at start what could never be recorded', async () => {
    await using stack = await LocalStack.start();
    const cases: readonly (readonly [string, Partial<KvsBridgeOptions>])[] = [
      ['KVSB_CHANNEL_NOT_FOUND', { channel: 'nobody' }],
      ['KVSB_STREAM_NOT_FOUND', { stream: 'nothing' }],
      ['KVSB_CREDENTIALS', { credentials: { accessKeyId: 'wrong', secretAccessKey: 'wrong' } }],
    ];
    for (const [code, change] of cases) {
      const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream, ...change });
      await assert.rejects(bridge.start(), { code });
    }
  });

  it('creates the stream when asked to', async () => {
    await using stack = await LocalStack.start();
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: 'made-to-order',
      createStream: true,
      retentionHours: 7,
    });
    await bridge.start();
    await bridge.stop();
    await using controlPlane = stack.controlPlane();
    assert.equal((await controlPlane.describeStream('made-to-order')).retentionHours, 7);
  });
});
