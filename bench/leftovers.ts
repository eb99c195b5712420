/** What a run must not leave behind, however it ends: processes and temporary folders. */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { familyOf } from './process-usage.js';

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** @returns the process, which ends with this one at the latest */
export function own<TChild extends ChildProcess>(child: TChild): TChild {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** A folder that goes with this process at the latest. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-bench-'));
  folders.add(folder);
  return folder;
}

/** Removes what {@link makeFolder} made. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Cleans up when this process ends early: by Ctrl-C, by another signal, or by an error. */
export function cleanUpAtExit(): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  process.once('exit', () => {
    for (const { pid } of children) {
      if (pid !== undefined) killFamily(pid);
    }
    for (const folder of folders) {
      // Something may have been written while its writer was being ended.
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}

/** At once, children too: nobody is left to wait for an orderly end. */
function killFamily(pid: number): void {
  try {
    for (const member of familyOf(pid)) process.kill(member, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
