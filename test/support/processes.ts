/** Processes as the kernel shows them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The processes that `pid` started and that still are. */
export async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  assert.ok(pid !== undefined);
  const list = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  return list.trim().split(' ').filter(Boolean).map(Number);
}

/** Waits until a process has ended; one whose parent has not asked for its end yet counts as such. */
export async function untilGone(pid: number, limitMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (await isRunning(pid)) {
    assert.ok(performance.now() < deadlineMs, `process ${String(pid)} still runs`);
    await sleep(20);
  }
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}
