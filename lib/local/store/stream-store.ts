/** The fragments of one stream: on disk when it has a retention, else in memory for a while. */
import { EventEmitter } from 'node:events';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LocalKvsLogger, StorageLimits } from '../options.js';
import { syncFolder } from './atomic-file.js';
import { compareNumbers, FragmentNumbers } from './fragment.js';
import type { Fragment, NewFragment, StreamReader } from './fragment.js';
import { FragmentIndex } from './fragment-index.js';
import type { IndexedFragment } from './fragment-index.js';

/** Events of {@link StreamStore}. */
export interface StreamStoreEvents {
  /** A fragment can be read. */
  added: [fragment: Fragment];
  /** Nothing more will come: the stream was deleted or the server stops. */
  closed: [];
}

/** Options of {@link StreamStore}. */
export interface StreamStoreOptions {
  /** The stream's own folder. */
  readonly folder: string;
  readonly limits: StorageLimits;
  readonly logger: LocalKvsLogger | undefined;
}

interface MemoryFragment extends Fragment {
  readonly bytes: Buffer;
}
type Entry = IndexedFragment | MemoryFragment;

const msPerHour = 3_600_000;

/** A fragment that a reader asks for is past its retention. */
export class FragmentGoneError extends Error {
  override readonly name = 'FragmentGoneError';
}

export class StreamStore extends EventEmitter<StreamStoreEvents> implements StreamReader {
  readonly #folder: string;
  readonly #limits: StorageLimits;
  readonly #index: FragmentIndex;
  readonly #numbers: FragmentNumbers;
  #entries: Entry[];
  /** Changes run one after another. */
  #work: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(options: StreamStoreOptions, index: FragmentIndex, entries: Entry[]) {
    super();
    this.setMaxListeners(0);
    this.#folder = join(options.folder, 'fragments');
    this.#limits = options.limits;
    this.#index = index;
    this.#entries = entries;
    this.#numbers = new FragmentNumbers(entries.at(-1)?.number);
  }

  /** Opens the stream's folder, made when missing; drops what a crash left half done. */
  static async open(options: StreamStoreOptions): Promise<StreamStore> {
    const files = join(options.folder, 'fragments');
    await mkdir(files, { recursive: true });
    const { index, fragments, damagedLines } = await FragmentIndex.open(
      join(options.folder, 'index'),
    );
    const kept: IndexedFragment[] = [];
    for (const fragment of fragments) {
      const size = await stat(join(files, fileName(fragment.number))).then(
        (found) => found.size,
        () => undefined,
      );
      if (size === fragment.sizeBytes) kept.push(fragment);
    }
    const known = new Set(kept.map(({ number }) => fileName(number)));
    for (const name of await readdir(files)) {
      if (!known.has(name)) await rm(join(files, name), { force: true });
    }
    const lost = fragments.length - kept.length;
    if (damagedLines > 0 || lost > 0) {
      options.logger?.warn(
        { folder: options.folder, damagedLines, missingFragments: lost },
        'dropped damaged fragments',
      );
    }
    return new StreamStore(options, index, kept);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What can be read, in order of the numbers. */
  get fragments(): readonly Fragment[] {
    return this.#entries;
  }

  /** A number above all others of this stream. */
  nextNumber(): string {
    return this.#numbers.next();
  }

  /** Stores a fragment; safely on disk when the promise resolves. */
  async persist({ parts, ...fragment }: NewFragment): Promise<void> {
    await this.#serially(async () => {
      let checksum = 0;
      for (const part of parts) checksum = crc32(part, checksum);
      await this.#writeFile(fragment, parts);
      const indexed = { ...fragment, crc32: checksum };
      await this.#index.add(indexed);
      this.#insert(indexed);
    });
  }

  /** Keeps a fragment for live readers only (dev guide, GetMedia on a stream of retention 0). */
  keepInMemory({ parts, ...fragment }: NewFragment): void {
    this.#insert({ ...fragment, bytes: Buffer.concat(parts) });
    this.#trimMemory(Date.now());
  }

  /**
   * The fragment's bytes.
   *
   * @throws {@link FragmentGoneError} it was trimmed
   */
  async read(number: string): Promise<Buffer> {
    const entry = this.find(number);
    if (entry === undefined) throw new FragmentGoneError(`Fragment ${number} is gone`);
    if ('bytes' in entry) return entry.bytes;
    const bytes = await readFile(join(this.#folder, fileName(number))).catch((error: unknown) => {
      throw new FragmentGoneError(`Fragment ${number} cannot be read`, { cause: error });
    });
    if (crc32(bytes) !== entry.crc32) throw new FragmentGoneError(`Fragment ${number} is damaged`);
    return bytes;
  }

  /** The entry with this number. */
  find(number: string): Entry | undefined {
    const entry = this.#entries[this.#position(number)];
    return entry?.number === number ? entry : undefined;
  }

  /** The first fragment with a higher number. */
  after(number: string): Fragment | undefined {
    const position = this.#position(number);
    const entry = this.#entries[position];
    return entry?.number === number ? this.#entries[position + 1] : entry;
  }

  /** Drops what is past its retention. */
  async trim(retentionHours: number, nowMs = Date.now()): Promise<void> {
    this.#trimMemory(nowMs);
    await this.#serially(async () => {
      const oldestMs = nowMs - retentionHours * msPerHour;
      // Only from the front: the index remembers no more than how far it was trimmed.
      const kept = this.#entries.findIndex((entry) => entry.serverTimestampMs >= oldestMs);
      const expired = this.#entries.slice(0, kept === -1 ? undefined : kept);
      const last = expired.at(-1);
      if (last === undefined) return;
      await this.#index.trim(last.number);
      const gone = new Set(expired);
      this.#entries = this.#entries.filter((entry) => !gone.has(entry));
      for (const { number } of expired) {
        await rm(join(this.#folder, fileName(number)), { force: true });
      }
    });
  }

  /** Waits for the work at hand and closes the files. Twice is fine. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit('closed');
    await this.#work;
    await this.#index.close();
  }

  async #serially(change: () => Promise<void>): Promise<void> {
    const done = this.#work.then(change);
    this.#work = done.catch(() => undefined);
    await done;
  }

  async #writeFile({ number, sizeBytes }: Fragment, parts: readonly Buffer[]): Promise<void> {
    const file = await open(join(this.#folder, fileName(number)), 'w');
    try {
      const { bytesWritten } = await file.writev([...parts]);
      if (bytesWritten !== sizeBytes) throw new Error(`${bytesWritten} of ${sizeBytes} bytes fit`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(this.#folder);
  }

  #insert(entry: Entry): void {
    this.#entries.splice(this.#position(entry.number), 0, entry);
    this.emit('added', entry);
  }

  /** Where the number is, or would be. */
  #position(number: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && compareNumbers(entry.number, number) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trimMemory(nowMs: number): void {
    const { liveBufferBytes, liveBufferMs } = this.#limits;
    let bytes = 0;
    const gone = new Set<Entry>();
    for (const entry of this.#entries.toReversed()) {
      if (!('bytes' in entry)) continue;
      bytes += entry.sizeBytes;
      const isOld = entry.serverTimestampMs < nowMs - liveBufferMs;
      if (isOld || bytes > liveBufferBytes) gone.add(entry);
    }
    if (gone.size > 0) this.#entries = this.#entries.filter((entry) => !gone.has(entry));
  }
}

function fileName(number: string): string {
  return `${number}.mkv`;
}
