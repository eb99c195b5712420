/** Keeps a second server out of a data folder. */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ErrorCode, LocalKvsError } from '../../util/errors.js';

const fileName = 'lock';

/** A data folder that this process holds. */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws {@link LocalKvsError} `KVSB_DATA_FOLDER`, another server holds the folder */
  static async acquire(folder: string): Promise<FolderLock> {
    const path = join(folder, fileName);
    const own = await identityOf(process.pid);
    for (;;) {
      try {
        const file = await open(path, 'wx');
        await file.writeFile(own).finally(() => file.close());
        return new FolderLock(path);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      const holder = await readFile(path, 'utf8').catch(() => '');
      const pid = Number.parseInt(holder, 10);
      if (Number.isInteger(pid) && holder === (await identityOf(pid))) {
        throw new LocalKvsError(
          ErrorCode.dataFolder,
          `The data folder ${folder} is in use by process ${pid}`,
          { fix: 'Stop that local KVS, or choose another data folder.' },
        );
      }
      await rm(path, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** Process id and start time: ids are given out again, above all in containers. */
async function identityOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The fields after the command's name, which may itself hold spaces; proc(5), field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} ${fields[19] ?? ''}`;
  } catch {
    return `${pid} gone`;
  }
}
