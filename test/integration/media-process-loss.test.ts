/** A Bridge whose media process is killed, frozen, hung or too big: it goes on with a fresh one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type { KvsBridgeError, KvsBridgeOptions } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 60_000;
/** Five are required to find out; the rest is for a loaded machine. */
const detectedWithinMs = 8_000;
const small = { width: 640, height: 360, videoBitrateBps: 600_000 } as const;

/** A Bridge that records a test master. */
async function recordingBridge(
  stack: LocalStack,
  options: Partial<KvsBridgeOptions> = {},
): Promise<KvsBridge> {
  const bridge = new KvsBridge({
    ...stack.connection,
    stream: stack.stream,
    sink: 'putmedia',
    // The environment names one folder for all stacks of this process.
    spoolDir: stack.folder,
    ...options,
  });
  await bridge.start();
  await eventThat(bridge, 'persisted', () => true, deadlineMs);
  return bridge;
}

/** Id of the media process. */
function pidOf(bridge: KvsBridge): number {
  const pid = bridge.mediaProcessId;
  assert.ok(pid !== undefined);
  return pid;
}

/** Does something to a process. @returns what undoes it, as far as that can be */
type Harm = (pid: number) => Promise<() => void>;

/** Stops one thread of a process, as a call that never returns would. @returns what lets it go */
async function freezeThread(pid: number, name: string): Promise<() => void> {
  const tasks = `/proc/${String(pid)}/task`;
  for (const task of await readdir(tasks)) {
    const comm = (await readFile(`${tasks}/${task}/comm`, 'utf8')).trim();
    if (comm !== name) continue;
    // PTRACE_SEIZE (0x4206) and PTRACE_INTERRUPT (0x4207) stop the one thread.
    const script = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for request in (0x4206, 0x4207):
    if libc.ptrace(request, ${task}, None, None) != 0:
        sys.exit('ptrace: %d' % ctypes.get_errno())
print('frozen', flush=True)
sys.stdin.read()
`;
    const tracer = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(tracer.stdout, 'data')) as [Buffer];
    assert.equal(line.toString().trim(), 'frozen');
    return () => tracer.stdin.end();
  }
  throw new Error(`no thread is called ${name}`);
}

describe('a Bridge and its media process', { concurrency: true }, () => {
  it('goes on after SIGKILL, SIGSTOP and a thread that hangs', async (context) => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    const bridge = await recordingBridge(stack);
    const sendSignal =
      (signal: NodeJS.Signals): Harm =>
      (pid) => {
        process.kill(pid, signal);
        return Promise.resolve(() => undefined);
      };
    const harms: readonly [name: string, harm: Harm][] = [
      ['SIGKILL', sendSignal('SIGKILL')],
      ['SIGSTOP', sendSignal('SIGSTOP')],
      // As in a state change that never ends: Node's side of the process lives on.
      ['hung thread', (pid) => freezeThread(pid, 'kvsb-receiver')],
    ];
    for (const [name, harm] of harms) {
      const pid = pidOf(bridge);
      const warned = eventThat(
        bridge,
        'warning',
        ({ code }) => code === 'KVSB_MEDIA_PROCESS' || code === 'KVSB_MEDIA',
        deadlineMs,
      );
      const connected = eventThat(bridge, 'track', () => true, deadlineMs);
      const beganMs = performance.now();
      const release = await harm(pid);
      const [{ code, message }] = (await warned) as [KvsBridgeError];
      const foundMs = performance.now() - beganMs;
      await connected;
      const backMs = performance.now() - beganMs;
      release();
      context.diagnostic(
        `${name}: found after ${foundMs.toFixed()} ms (${code}: ${message}), media back after ${backMs.toFixed()} ms`,
      );
      assert.ok(foundMs < detectedWithinMs, `${name}: ${foundMs.toFixed()} ms`);
      assert.notEqual(bridge.mediaProcessId, pid);
      await eventThat(bridge, 'persisted', () => true, deadlineMs);
    }
    const { error, totals } = await bridge.stop();
    assert.equal(error, undefined);
    assert.equal(totals.sessions, harms.length + 1);
  });

  it('replaces one that is too big, with all it received kept', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, ...small });
    await master.start();
    // Less than any process needs.
    const bridge = await recordingBridge(stack, { mediaMemoryMb: 64, bufferMb: 1 });
    const isOwn = ({ code }: KvsBridgeError): boolean => code === 'KVSB_MEDIA_PROCESS';
    const [{ message }] = (await eventThat(bridge, 'warning', isOwn, deadlineMs)) as [
      KvsBridgeError,
    ];
    assert.match(message, /more than the 65 MB/);
    await eventThat(bridge, 'track', () => true, deadlineMs);
    const { error, totals } = await bridge.stop();
    assert.equal(error, undefined);
    assert.ok(totals.sessions >= 2);
    assert.equal(totals.videoFramesLost, 0, JSON.stringify(totals));
    // What a loaded machine has not stored when the drain time is over is on disk.
    assert.equal(
      totals.videoFramesStored + totals.videoFramesSpooled,
      totals.videoFramesReceived,
      JSON.stringify(totals),
    );
  });
});
