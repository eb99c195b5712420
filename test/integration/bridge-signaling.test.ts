/** Signaling comes and goes; what is recorded does not notice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type { KvsBridgeOptions } from '../../lib/index.js';
import { readTestFrames } from '../support/decode.js';
import { eventThat } from '../support/events.js';
import { seededRandom } from '../support/hostile-messages.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 60_000;
const small = { width: 640, height: 360, videoBitrateBps: 600_000 } as const;
/** An hour in a fifth of a second. */
const signaling = {
  lifetimeMs: 200,
  minDelayMs: 5,
  maxDelayMs: 40,
  stableMs: 20,
  overlapMs: 50,
} as const;
const unlimited = { limits: { signaling: { connectsPerSecond: 10_000, sdpPerSecond: 10_000 } } };
const viewers = { role: 'VIEWER' } as const;

/** A Bridge on a stack, and what it says of its states and its signaling. */
class WatchedBridge implements AsyncDisposable {
  readonly bridge: KvsBridge;
  readonly states: string[] = [];
  readonly changes: string[] = [];
  readonly warnings: string[] = [];

  constructor(stack: LocalStack, options: Partial<KvsBridgeOptions> = {}) {
    this.bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      signaling: { ...signaling, lifetimeMs: 600_000 },
      ...options,
    });
    this.bridge.on('state', ({ state }) => this.states.push(state));
    this.bridge.on('signaling', ({ kind }) => this.changes.push(kind));
    this.bridge.on('warning', ({ message }) => this.warnings.push(message));
  }

  /** Resolves when it records. */
  async recording(): Promise<void> {
    await eventThat(this.bridge, 'state', ({ state }) => state === 'recording', deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge.stop();
  }
}

/** Resolves when the Bridge asked for ICE servers so many times, counted from now. */
async function offersBegun(stack: LocalStack, count: number): Promise<void> {
  let seen = 0;
  const isServers = ({ operation }: { operation: string }): boolean =>
    operation === 'GetIceServerConfig' && (seen += 1) === count;
  await eventThat(stack.kvs, 'request', isServers, deadlineMs);
}

describe('a Bridge and its signaling', () => {
  it('records on, frame by frame, through rotations, GO_AWAYs, losses and refusals', async () => {
    await using stack = await LocalStack.start(unlimited);
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    const uploadLifetimeMs = 1_000;
    const options = { signaling, sink: 'putmedia', uploadLifetimeMs } as const;
    await using watched = new WatchedBridge(stack, options);
    const { bridge, states, changes } = watched;
    let uploads = 0;
    stack.kvs.on('putMedia', ({ kind }) => (uploads += kind === 'opened' ? 1 : 0));
    let fragments = 0;
    bridge.on('persisted', () => (fragments += 1));
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, deadlineMs);

    const random = seededRandom(4);
    const { faults } = stack.kvs;
    const harms: readonly (() => void)[] = [
      // Its hour ends by itself.
      () => undefined,
      () => faults.sendGoAway(viewers),
      () => faults.dropSignaling(viewers),
      () => faults.dropSignaling({ ...viewers, code: 1001 }),
      () => {
        const [status, type] =
          random() < 0.5 ? [403, 'AccessDeniedException'] : [503, 'ServiceUnavailable'];
        faults.failCalls({ operation: 'ConnectAsViewer', status, type, times: 2 });
        faults.dropSignaling(viewers);
      },
    ];
    let harmed = 0;
    bridge.on('signaling', ({ kind }) => {
      if (kind === 'disconnected') return;
      setTimeout(() => {
        harms[harmed % harms.length]?.();
        harmed += 1;
      }, random() * 60);
    });
    faults.dropSignaling(viewers);
    const enough = (): boolean => harmed >= 40 && fragments >= 4;
    await Promise.all([
      eventThat(bridge, 'signaling', () => harmed >= 40, deadlineMs),
      eventThat(bridge, 'persisted', enough, deadlineMs),
    ]);
    const { totals } = await bridge.stop();

    assert.deepEqual(states, [
      'starting',
      'waiting',
      'connecting',
      'receiving',
      'recording',
      'stopping',
      'stopped',
    ]);
    for (const kind of ['connected', 'disconnected', 'replaced']) {
      assert.ok(changes.filter((change) => change === kind).length >= 5, changes.join());
    }
    assert.equal(totals.sessions, 1);
    assert.ok(uploads >= 3, `${uploads} uploads`);
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.videoFramesLost, 0);
    const counters: number[] = [];
    for (const file of await stack.readFragments(await stack.listFragments())) {
      counters.push(...(await readTestFrames(file)).map(({ counter }) => counter));
    }
    assert.deepEqual(
      counters,
      counters.map((_counter, index) => index),
    );
    assert.equal(counters.length, totals.videoFramesStored);
  });

  it('gets an answer that was given while it was away', async () => {
    await using stack = await LocalStack.start(unlimited);
    await using watched = new WatchedBridge(stack);
    const { bridge, states } = watched;
    await bridge.start();
    // Nothing tells that the offer arrived; without this it mostly would not.
    await sleep(200);
    const lost = eventThat(bridge, 'signaling', ({ kind }) => kind === 'disconnected', deadlineMs);
    const refusal = stack.kvs.faults.failCalls({
      operation: 'ConnectAsViewer',
      status: 503,
      times: 1_000_000,
    });
    stack.kvs.faults.dropSignaling(viewers);
    await lost;
    await using master = new TestMaster({ ...stack.connection, ...small });
    const offered = once(master, 'viewer');
    await master.start();
    // The offer may have been lost with the connection; then it is repeated over the next one.
    await Promise.race([offered, sleep(2_000)]);
    const recording = watched.recording();
    refusal.remove();
    await recording;
    assert.equal(states.includes('reconnecting'), false);
    assert.equal((await bridge.stop()).totals.sessions, 1);
  });

  it('offers afresh before its TURN credentials end, and still only waits', async () => {
    await using stack = await LocalStack.start(unlimited);
    await using watched = new WatchedBridge(stack, { offerLifetimeMs: 1_000 });
    const { bridge, states, warnings } = watched;
    const renewed = offersBegun(stack, 4);
    await bridge.start();
    await renewed;
    assert.deepEqual(states, ['starting', 'waiting']);
    assert.deepEqual(warnings, []);
    assert.equal(bridge.totals.sessions, 0);

    await using master = new TestMaster({ ...stack.connection, ...small });
    const recording = watched.recording();
    await master.start();
    await recording;
    assert.equal(states.includes('reconnecting'), false);
    const { totals } = await bridge.stop();
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
  });

  it('fetches the ICE servers anew when the service takes them away', async () => {
    await using stack = await LocalStack.start(unlimited);
    await using watched = new WatchedBridge(stack);
    const { bridge, states, changes } = watched;
    await bridge.start();
    const renewed = offersBegun(stack, 1);
    assert.equal(stack.kvs.faults.sendReconnectIceServer(viewers), 1);
    await renewed;
    await using master = new TestMaster({ ...stack.connection, ...small });
    const recording = watched.recording();
    await master.start();
    await recording;
    // A session that has its master keeps it.
    const { sessions } = bridge.totals;
    stack.kvs.faults.sendReconnectIceServer(viewers);
    let persisted = 0;
    await eventThat(bridge, 'persisted', () => (persisted += 1) === 2, deadlineMs);
    assert.equal(states.includes('reconnecting'), false);
    assert.deepEqual(changes, ['connected']);
    assert.equal((await bridge.stop()).totals.sessions, sessions);
  });

  it('starts as soon as signaling lets it, unless a person has to act first', async () => {
    await using stack = await LocalStack.start(unlimited);
    const { faults } = stack.kvs;
    await using watched = new WatchedBridge(stack);
    const { bridge, states, warnings } = watched;
    faults.failCalls({ operation: 'ConnectAsViewer', status: 503, times: 3 });
    await bridge.start();
    await bridge.stop();
    assert.equal(warnings.length, 3, warnings.join());
    assert.deepEqual(states, ['starting', 'waiting', 'stopping', 'stopped']);

    await using denied = new WatchedBridge(stack);
    const type = 'AccessDeniedException';
    faults.failCalls({ operation: 'ConnectAsViewer', status: 403, type });
    await assert.rejects(denied.bridge.start(), { code: 'KVSB_ACCESS_DENIED' });
  });
});
