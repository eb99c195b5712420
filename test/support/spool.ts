/** A spool in a folder of its own, and sinks that use it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNative } from '../../lib/media/native.js';
import { StreamSpool } from '../../lib/spool/stream-spool.js';
import type { StreamSpoolOptions } from '../../lib/spool/stream-spool.js';

/** Locks as the media process does. */
export const tryLock = (fd: number): boolean => loadNative().tryLockFile(fd);

/** A folder for the spool of one stream. */
export class SpoolPlace implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<SpoolPlace> {
    return new SpoolPlace(await mkdtemp(join(tmpdir(), 'kvs-bridge-spool-')));
  }

  /** A spool that is quicker than usual to notice things. */
  open(options: Partial<StreamSpoolOptions> = {}): StreamSpool {
    return openSpool(this.folder, options);
  }

  /** Names of the fragments' files in it, in whatever folder; of those that wait, by default. */
  async files(kind = /\.(?:fragment|sent)$/): Promise<readonly string[]> {
    const names = await readdir(this.folder, { recursive: true });
    return names.filter((name) => kind.test(name)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A spool in `folder` that is quicker than usual to notice things. */
export function openSpool(folder: string, options: Partial<StreamSpoolOptions> = {}): StreamSpool {
  return new StreamSpool({
    folder,
    streamName: 's',
    maxBytes: 1_000_000_000,
    tryLock,
    pollMs: 10,
    scanMs: 50,
    ...options,
  });
}
