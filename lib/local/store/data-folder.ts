/** The folder that everything lives in. */
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ErrorCode, LocalKvsError } from '../../util/errors.js';
import { FolderLock } from './folder-lock.js';

/** A data folder that this server holds. */
export class DataFolder {
  readonly path: string;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the folder if need be and locks it.
   *
   * @throws {@link LocalKvsError} `KVSB_DATA_FOLDER`, it is in use, cannot be used, or holds
   * something else
   */
  static async open(dataDir: string): Promise<DataFolder> {
    const path = resolve(dataDir);
    return guarded(path, async () => {
      await mkdir(path, { recursive: true });
      await refuseForeign(path);
      return new DataFolder(path, await FolderLock.acquire(path));
    });
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

/** Runs what reads or writes the folder, and explains its failures. */
export async function guarded<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof LocalKvsError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new LocalKvsError(
      ErrorCode.dataFolder,
      `The data folder ${path} cannot be read and written (${code})`,
      { cause: error, fix: 'Check the permissions and the free space, or choose another folder.' },
    );
  }
}

/** Unknown folders of fragments are removed at start, so they had better be ours. */
async function refuseForeign(path: string): Promise<void> {
  const names = await readdir(path);
  if (!names.includes('streams') || names.includes('resources.json')) return;
  if ((await readdir(join(path, 'streams'))).length === 0) return;
  throw new LocalKvsError(
    ErrorCode.dataFolder,
    `The folder ${path} holds something else than data of a local KVS`,
    { fix: 'Choose another data folder.' },
  );
}
