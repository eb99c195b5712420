/** The folder that one sink keeps its fragments in, and how others tell that its owner is gone. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLock } from './file-lock.js';
import type { TryLock } from './file-lock.js';

const lockFileName = 'owner.lock';
const bootIdFile = '/proc/sys/kernel/random/boot_id';

/** Between these two steps of its making, a folder has no owner yet and belongs to nobody else. */
const newPrefix = 'new-';
const readyPrefix = 'media-';

/**
 * A folder that is held: by the sink that fills it, or by the one that inherited it. Whoever holds it
 * has its `owner.lock`, which the kernel gives back when that process ends in whatever way.
 */
export class SpoolFolder {
  readonly path: string;
  /**
   * The machine has not been restarted since it was filled: what the files' names say is what was
   * done. After a restart some of it may never have reached the disk.
   */
  readonly isOfThisBoot: boolean;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock, isOfThisBoot: boolean) {
    this.path = path;
    this.#lock = lock;
    this.isOfThisBoot = isOfThisBoot;
  }

  /** Makes a new one in `parent`. @throws the system's error */
  static async create(parent: string, tryLock: TryLock): Promise<SpoolFolder> {
    const name = `${Date.now()}-${process.pid}-${randomBytes(4).toString('hex')}`;
    const unfinished = join(parent, `${newPrefix}${name}`);
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    const lock = await FileLock.tryAcquire(
      join(unfinished, lockFileName),
      await readBootId(),
      tryLock,
    );
    if (lock === undefined) throw new Error('A folder of our own is locked by somebody else');
    const path = join(parent, `${readyPrefix}${name}`);
    await rename(unfinished, path);
    return new SpoolFolder(path, lock, true);
  }

  /** Takes over the folders in `parent` whose owners are gone, oldest first. */
  static async inherit(parent: string, tryLock: TryLock): Promise<readonly SpoolFolder[]> {
    const folders: SpoolFolder[] = [];
    const names = await readdir(parent);
    for (const name of names.filter((entry) => entry.startsWith(readyPrefix)).sort()) {
      const folder = await SpoolFolder.#tryInherit(join(parent, name), tryLock);
      if (folder !== undefined) folders.push(folder);
    }
    return folders;
  }

  static async #tryInherit(path: string, tryLock: TryLock): Promise<SpoolFolder | undefined> {
    const lockFile = join(path, lockFileName);
    try {
      const bootId = await readBootId();
      const filledIn = await readFile(lockFile, 'utf8').catch(() => '');
      const lock = await FileLock.tryAcquire(lockFile, filledIn, tryLock);
      return lock && new SpoolFolder(path, lock, filledIn === bootId && bootId !== '');
    } catch {
      // Just removed by its owner, or not ours to read.
      return undefined;
    }
  }

  /** Names of its files. */
  async list(): Promise<readonly string[]> {
    return (await readdir(this.path)).filter((name) => name !== lockFileName);
  }

  /** Gives it back, and removes it if nothing is left in it. Again is fine. */
  async release(): Promise<void> {
    try {
      if ((await this.list()).length === 0) {
        await unlink(join(this.path, lockFileName));
        await rmdir(this.path);
      }
    } catch {
      // Whoever comes next finds it.
    }
    await this.#lock.release();
  }
}

/** Removes what a crash left of folders that were never finished. */
export async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(newPrefix)) continue;
    const [, startedMs] = /^new-(\d{1,15})-/.exec(name) ?? [];
    const isOld = startedMs === undefined || Math.abs(Date.now() - Number(startedMs)) > 60_000;
    if (isOld)
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Changes with every start of the machine; empty where it cannot be told. */
async function readBootId(): Promise<string> {
  return (await readFile(bootIdFile, 'utf8').catch(() => '')).trim();
}
