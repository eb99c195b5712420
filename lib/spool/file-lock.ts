/** A file that one holder at a time has locked, over all processes of the machine. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * Takes an exclusive lock on an open file without waiting; closing the file gives it back.
 *
 * @returns false when somebody else has it
 * @throws the system's error when the file system cannot lock
 */
export type TryLock = (fd: number) => boolean;

/** An flock(2), given back by the kernel when the process ends in whatever way. */
export class FileLock {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Takes the lock if it is free.
   *
   * @param note - what the file is to say while we hold it
   * @returns undefined when somebody else has it
   * @throws the system's error when the file cannot be made, or the file system has no locks
   */
  static async tryAcquire(
    path: string,
    note: string,
    tryLock: TryLock,
  ): Promise<FileLock | undefined> {
    const file = await open(path, 'a', 0o600);
    try {
      if (tryLock(file.fd)) {
        await file.truncate(0);
        await file.writeFile(note);
        return new FileLock(file);
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  async release(): Promise<void> {
    await this.#file.close();
  }
}
