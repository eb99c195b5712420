/** The media process: what happens to it, and how its parent hears of it. */
import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildMediaSession } from '../../lib/media/child-session.js';
import { InProcessMediaSession } from '../../lib/media/in-process-session.js';
import type { MediaSessionEnd } from '../../lib/media/media-session.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { idleSessionOptions } from '../support/media-options.js';

const worker = new URL('../../lib/media/worker.js', import.meta.url);

/** A session that has offered, and the promise of its end. */
async function startChild(): Promise<{
  child: ChildMediaSession;
  pid: number;
  end: Promise<MediaSessionEnd>;
}> {
  const child = new ChildMediaSession();
  const end = once(child, 'closed').then(([value]) => value as MediaSessionEnd);
  child.start(idleSessionOptions);
  await once(child, 'offer');
  assert.ok(child.pid !== undefined);
  return { child, pid: child.pid, end };
}

/** True while a process exists and is not a zombie. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    return !stat.includes(') Z ');
  } catch {
    return false;
  }
}

async function untilGone(pid: number, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (await isRunning(pid)) {
    assert.ok(performance.now() < deadline, `process ${String(pid)} did not end`);
    await delay(50);
  }
}

describe('media process', () => {
  it('offers, stops and exits with code 0', async () => {
    const { child, pid, end } = await startChild();
    const stopped = await child.stop({ drainTimeoutMs: 2_000 });
    assert.equal(stopped.error, undefined);
    assert.equal(stopped.exitCause, 'exit code 0');
    assert.equal(await end, stopped);
    assert.equal(await child.stop({ drainTimeoutMs: 0 }), stopped);
    await untilGone(pid, 1_000);
  });

  for (const signal of ['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const) {
    it(`reports that it died of ${signal}`, async () => {
      const { pid, end } = await startChild();
      process.kill(pid, signal);
      const { error, exitCause } = await end;
      assert.equal(error?.code, ErrorCode.mediaProcess);
      assert.equal(exitCause, `signal ${signal}`);
    });
  }

  it('finds a hung process within 5 s and ends it', async () => {
    const { pid, end } = await startChild();
    const beganMs = performance.now();
    process.kill(pid, 'SIGSTOP');
    const { error, exitCause } = await end;
    assert.ok(performance.now() - beganMs < 5_000);
    assert.equal(error?.code, ErrorCode.mediaProcess);
    assert.match(error.message, /said nothing/);
    assert.equal(exitCause, 'signal SIGKILL');
  });

  it('goes when its parent is gone', async () => {
    const parent = spawn(
      process.execPath,
      [new URL('../fixtures/orphan-parent.js', import.meta.url).pathname],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: parent.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    const pid = Number(line);
    assert.ok(await isRunning(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await untilGone(pid, 15_000);
  });

  it('goes when its parent was killed before it had loaded', async () => {
    const parent = spawn(
      process.execPath,
      [new URL('../fixtures/dying-parent.js', import.meta.url).pathname],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: parent.stdout });
    const [[line], [, signal]] = (await Promise.all([
      once(lines, 'line'),
      once(parent, 'exit'),
    ])) as [[string], [number | null, string | null]];
    assert.equal(signal, 'SIGKILL');
    await untilGone(Number(line), 15_000);
  });

  it('ends with a typed error on a message that is not in the protocol', async () => {
    for (const message of [
      { type: 'start', version: 999 },
      { type: 'nonsense' },
      'text',
      { type: 'stop', drainTimeoutMs: -1 },
    ]) {
      const child = fork(worker, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const messages: { type: string; error?: { code: string; message: string } }[] = [];
      child.on('message', (sent: (typeof messages)[number]) => messages.push(sent));
      child.send(message);
      const [code] = (await once(child, 'exit')) as [number];
      assert.equal(code, 1);
      assert.equal(messages.at(-1)?.type, 'closed');
      assert.equal(messages.at(-1)?.error?.code, ErrorCode.mediaProcess);
    }
  });

  it('never finds AWS credentials in its environment', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'must-not-be-inherited';
    try {
      const { child, pid } = await startChild();
      const environment = await readFile(`/proc/${String(pid)}/environ`, 'utf8');
      await child.stop({ drainTimeoutMs: 0 });
      assert.doesNotMatch(environment, /must-not-be-inherited|(^|\0)AWS_/);
    } finally {
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });
});

describe("isolation 'none'", () => {
  it('offers, stops and closes in this process', async () => {
    const session = new InProcessMediaSession();
    session.start(idleSessionOptions);
    const [sdp] = (await once(session, 'offer')) as [string];
    assert.match(sdp, /^v=0\r\n/);
    const end = await session.stop({ drainTimeoutMs: 1_000 });
    assert.equal(end.error, undefined);
    assert.equal(end.exitCause, undefined);
    await session[Symbol.asyncDispose]();
  });
});
