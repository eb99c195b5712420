/** The disk of the spool: writable, large and fast enough, and one that lasts. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rmdir, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asError } from '../../util/abort.js';
import { finding, timedOut } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { step } from '../probes/step.js';
import type { DoctorFinding } from '../report.js';

/** The bridge waits no longer for its disk than this, in ms. */
const patienceMs = 2_000;
const sampleBytes = 1_000_000;
const bytesPerMb = 1_000_000;

interface FileSystem {
  readonly name: string;
  /** What it does not outlive. */
  readonly life?: string;
  readonly isRemote?: boolean;
}

/** By the type that statfs(2) tells. */
const fileSystems: Readonly<Record<number, FileSystem>> = {
  0x0102_1994: { name: 'tmpfs', life: 'the machine' },
  0x8584_58f6: { name: 'ramfs', life: 'the machine' },
  0x794c_7630: { name: 'overlayfs', life: 'the container' },
  0x0000_6969: { name: 'NFS', isRemote: true },
  0xff53_4d42: { name: 'CIFS', isRemote: true },
  0xfe53_4d42: { name: 'SMB', isRemote: true },
  0x0000_ef53: { name: 'ext4' },
  0x5846_5342: { name: 'XFS' },
  0x9123_683e: { name: 'Btrfs' },
};

/** What was measured of a folder. */
export interface Disk {
  readonly folder: string;
  readonly type: number;
  readonly freeBytes: number;
  readonly writeMs: number;
}

export const spoolCheck: Check = {
  topic: 'spool',
  run: async ({ options: { spoolDir: folder, spoolMb }, bounds }) => {
    if (spoolMb === 0) return [finding('spool.off', {})];
    const measured = await step(async () => measure(folder), bounds);
    if (measured.ok) return diskFindings(measured.value, spoolMb);
    const { cause, message } = measured.error;
    return cause === undefined
      ? [timedOut('spool', bounds.timeoutMs / 1_000)]
      : [finding('spool.unwritable', { folder, reason: codeOf(cause) ?? message })];
  },
};

/** What is wrong with a disk that can be written. Pure. */
export function diskFindings(
  { folder, type, freeBytes, writeMs }: Disk,
  wantedMb: number,
): readonly DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const system = fileSystems[type] ?? { name: `file system 0x${type.toString(16)}` };
  const { name: filesystem, life, isRemote = false } = system;
  const freeMb = Math.floor(freeBytes / bytesPerMb);
  if (freeMb < wantedMb) {
    const possibleMb = Math.floor(freeMb * 0.8);
    findings.push(finding('spool.small', { folder, freeMb, wantedMb, possibleMb }));
  }
  if (life !== undefined) findings.push(finding('spool.volatile', { folder, filesystem, life }));
  if (isRemote) findings.push(finding('spool.network', { folder, filesystem }));
  if (writeMs > patienceMs) {
    findings.push(finding('spool.slow', { folder, seconds: (writeMs / 1_000).toFixed(1) }));
  }
  return findings.length === 0
    ? [finding('spool.ok', { folder, freeMb, filesystem, wantedMb })]
    : findings;
}

/** Writes a file and removes it again, with every folder that had to be made for it. */
async function measure(folder: string): Promise<Disk> {
  const made = await mkdir(folder, { recursive: true });
  try {
    const file = join(folder, `.doctor-${randomUUID()}`);
    const startedAtMs = performance.now();
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.write(Buffer.alloc(sampleBytes)).catch(unlessFull);
      await handle.datasync().catch(unlessFull);
    } finally {
      await handle.close();
      await unlink(file);
    }
    const writeMs = performance.now() - startedAtMs;
    const { type, bavail, bsize } = await statfs(folder);
    return { folder, type, freeBytes: bavail * bsize, writeMs };
  } finally {
    if (made !== undefined) await removeEmpty(folder, made);
  }
}

/** Removes `folder` and those above it up to `top`, unless somebody put something in. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let path = folder; path.startsWith(top); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return;
    }
  }
}

/** A disk that is full tells so by its free space. */
function unlessFull(error: unknown): void {
  if (codeOf(error) !== 'ENOSPC') throw asError(error);
}

function codeOf(cause: unknown): string | undefined {
  const error = asError(cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
