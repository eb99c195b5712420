/** A master that is killed, comes back, gives way to another, or answers too often. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type { KvsBridgeError } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 60_000;
/** Five are required; the rest is for a loaded machine. */
const promptMs = 10_000;
const small = { width: 640, height: 360, videoBitrateBps: 600_000 } as const;

/** A master in a process of its own, to be killed. */
function spawnMaster(stack: LocalStack): ChildProcess {
  const fixture = fileURLToPath(new URL('../fixtures/lone-master.js', import.meta.url));
  return spawn(process.execPath, [fixture, JSON.stringify({ ...stack.connection, ...small })], {
    stdio: 'ignore',
  });
}

describe('a Bridge and its masters', { concurrency: true }, () => {
  it('finds that a master was killed, and records it again when it is back', async (context) => {
    await using stack = await LocalStack.start();
    const first = spawnMaster(stack);
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      sink: 'putmedia',
      spoolDir: stack.folder,
    });
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, deadlineMs);

    const lost = eventThat(bridge, 'warning', () => true, deadlineMs);
    const killedMs = performance.now();
    first.kill('SIGKILL');
    const [{ code, message }] = (await lost) as [KvsBridgeError];
    const foundMs = performance.now() - killedMs;
    assert.equal(code, 'KVSB_PEER_LOST');
    assert.ok(foundMs < promptMs, `${foundMs.toFixed()} ms`);

    const connected = eventThat(
      stack.kvs,
      'request',
      ({ operation }) => operation === 'ConnectAsMaster',
      deadlineMs,
    );
    const track = eventThat(bridge, 'track', () => true, deadlineMs);
    const second = spawnMaster(stack);
    await connected;
    const backMs = performance.now();
    await track;
    const mediaMs = performance.now() - backMs;
    await eventThat(bridge, 'persisted', () => true, deadlineMs);
    context.diagnostic(
      `found after ${foundMs.toFixed()} ms (${message}); from its return to media ` +
        `${mediaMs.toFixed()} ms, to PERSISTED ${(performance.now() - backMs).toFixed()} ms`,
    );
    assert.ok(mediaMs < promptMs, `${mediaMs.toFixed()} ms`);
    const { totals } = await bridge.stop();
    assert.equal(totals.sessions, 2);
    second.kill('SIGKILL');
    await once(second, 'exit');
  });

  it('records one master after the other', async () => {
    await using stack = await LocalStack.start();
    await using first = new TestMaster({ ...stack.connection, ...small });
    await first.start();
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      sink: 'putmedia',
      spoolDir: stack.folder,
    });
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, deadlineMs);
    // It takes over the channel, but the first one's media still flows.
    await using second = new TestMaster({ ...stack.connection, width: 480, height: 272 });
    await second.start();
    const isSecond = ({ width }: { readonly width: number }): boolean => width === 480;
    const taken = eventThat(bridge, 'epoch', isSecond, deadlineMs);
    await first.stop();
    await taken;
    await eventThat(bridge, 'persisted', () => true, deadlineMs);
    const { error, totals } = await bridge.stop();
    assert.equal(error, undefined);
    assert.equal(totals.sessions, 2);
    assert.equal(totals.videoFramesLost, 0, JSON.stringify(totals));
  });
});
