/** Keeps a ledger in a file, beside other writers of the same one. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { appendFile, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { Ledger } from './ledger.js';
import type { LedgerEntry, WrittenLine } from './ledger-lines.js';
import { readLedgerFile } from './read-ledger.js';
import type { LedgerContents } from './read-ledger.js';

/** A file that grew to this is written anew with fewer lines, in bytes. */
const defaultCompactBytes = 1_000_000;
/** How long gaps are remembered. */
const memoryMs = 90 * 86_400_000;
/** Most gaps that are remembered. */
const maxGaps = 5_000;
/** How long a gap may still be filled from the disk. */
const finalAfterMs = 86_400_000;
/**
 * How much of the latest past is kept in memory, where the file keeps all: enough for what a spool
 * still holds of a master that comes and goes.
 */
const maxInMemory = 256;
/** Lines that wait while the disk takes none: about a day's. */
const maxWaitingLines = 50_000;
/** After a failure it is written again with the next line, and after this at the latest. */
const retryDelayMs = 5_000;

/** Nobody takes this long to compact: who began it is dead. */
const abandonedMs = 60_000;

/** Options of a {@link LedgerFile}. */
export interface LedgerFileOptions {
  /** @defaultValue 1000000 */
  readonly compactBytes?: number;
}

interface LedgerFileEvents {
  /** The file cannot be written, or had lines that are none; the ledger goes on. */
  warning: [error: KvsBridgeError];
}

/**
 * One writer's side of a ledger file. Whole lines are appended, so that several may write. Each
 * looks, after it wrote, whether another has put a compacted file in the place of the one it wrote
 * to, and then writes again; lines are numbered, and count once.
 */
export class LedgerFile extends EventEmitter<LedgerFileEvents> {
  readonly path: string;
  /** Names this writer in its lines. */
  readonly run = randomUUID();
  #compactBytes: number;
  readonly #minCompactBytes: number;
  #ledger = new Ledger();
  #seq = 0;
  /** Not in the file yet. */
  #waiting: WrittenLine[] = [];
  /** The file ends within a line. */
  #isTorn = false;
  #isFailing = false;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(path: string, { compactBytes = defaultCompactBytes }: LedgerFileOptions = {}) {
    super();
    this.path = path;
    this.#minCompactBytes = compactBytes;
    this.#compactBytes = compactBytes;
  }

  /** What is known of late, what waits to be written included; the file knows more. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Reads what is there. To be called before the first {@link add}; never rejects. */
  async open(): Promise<void> {
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      const contents = await readLedgerFile(this.path);
      if (contents === undefined) return;
      this.#take(contents);
      if (contents.corrupt.length === 0) return;
      await this.#setAside(contents.corrupt);
      await this.#compact();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes in a line at once, and writes it soon. */
  add(entry: LedgerEntry): void {
    this.#seq += 1;
    const line = { ...entry, run: this.run, seq: this.#seq, atMs: Date.now() } as WrittenLine;
    this.#ledger.apply(line);
    this.#ledger.keepNewest(maxInMemory);
    this.#waiting.push(line);
    if (this.#waiting.length > maxWaitingLines) this.#waiting.shift();
    void this.#write();
  }

  /** Writes what waits, if it can be written. */
  async close(): Promise<void> {
    await this.#write();
    clearTimeout(this.#retry);
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      while (this.#waiting.length > 0) {
        const lines = [...this.#waiting];
        const bytes = await this.#append(lines);
        this.#waiting = this.#waiting.slice(lines.length);
        this.#isFailing = false;
        if (bytes > this.#compactBytes) await this.#compact();
      }
    } catch (error) {
      this.#fail(error);
      this.#retry = setTimeout(() => void this.#write(), retryDelayMs);
      this.#retry.unref();
    }
  }

  /** @returns the file's size then */
  async #append(lines: readonly WrittenLine[]): Promise<number> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    for (;;) {
      const file = await open(this.path, 'a', 0o600);
      try {
        const begin = this.#isTorn ? '\n' : '';
        this.#isTorn = true;
        await file.appendFile(begin + text);
        await file.datasync();
        this.#isTorn = false;
        const { ino, size } = await file.stat({ bigint: true });
        const now = await stat(this.path, { bigint: true }).catch(() => undefined);
        if (now?.ino === ino) return Number(size);
      } finally {
        await file.close();
      }
    }
  }

  /** Puts a file in its place that says the same in fewer lines. */
  async #compact(): Promise<void> {
    const contents = await readLedgerFile(this.path);
    if (contents === undefined) return;
    const ledger = new Ledger();
    for (const line of contents.lines) ledger.apply(line);
    const nowMs = ledger.range?.toMs ?? 0;
    const lines = ledger.compact({
      forgetBeforeMs: Math.max(0, nowMs - memoryMs),
      finalBeforeMs: Math.max(0, nowMs - finalAfterMs),
      maxGaps,
    });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const temporary = `${this.path}.tmp`;
    // It is also the lock: two that compact at once could lose what was written in between.
    if (!(await createFile(temporary, text))) return;
    try {
      if (!(await this.#replace(temporary, contents))) return;
    } finally {
      await rm(temporary, { force: true });
    }
    this.#compactBytes = Math.max(this.#minCompactBytes, 2 * text.length);
    this.#ledger = new Ledger();
    for (const line of [...lines, ...this.#waiting]) this.#ledger.apply(line);
    this.#ledger.keepNewest(maxInMemory);
  }

  /**
   * Puts a compacted file in the place of the one it was made from. Who wrote to that before it was
   * replaced saw nothing amiss: those lines follow. Who writes to it later looks, and writes again.
   *
   * @returns false when it was replaced by somebody else
   */
  async #replace(compacted: string, { inode, bytes }: LedgerContents): Promise<boolean> {
    const old = await open(this.path, 'r');
    try {
      if ((await old.stat({ bigint: true })).ino !== inode) return false;
      await rename(compacted, this.path);
      const { size } = await old.stat();
      if (size <= bytes) return true;
      const rest = Buffer.alloc(size - bytes);
      await old.read(rest, 0, rest.length, bytes);
      await appendFile(this.path, `${rest.toString()}\n`);
      return true;
    } finally {
      await old.close();
    }
  }

  #take({ lines, isTorn }: LedgerContents): void {
    this.#isTorn = isTorn;
    for (const line of lines) this.#ledger.apply(line);
    this.#ledger.keepNewest(maxInMemory);
  }

  async #setAside(corrupt: readonly string[]): Promise<void> {
    const aside = `${this.path}.corrupt`;
    await writeFile(aside, corrupt.map((text) => `${text}\n`).join(''), { mode: 0o600 });
    this.emit(
      'warning',
      new KvsBridgeError(
        ErrorCode.dataFolder,
        `${String(corrupt.length)} lines of the ledger ${this.path} cannot be read; they are now in ${aside}`,
        { fix: 'Check the disk. Gaps may be listed for media that is stored.' },
      ),
    );
  }

  /** Tells a failure once, until something is written again. */
  #fail(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    this.emit(
      'warning',
      new KvsBridgeError(
        ErrorCode.dataFolder,
        `The ledger ${this.path} cannot be written (${reason}); it is kept in memory meanwhile`,
        { cause: error, fix: 'Check the free space and the permissions of the folder.' },
      ),
    );
  }
}

/** Makes a file that is not there. @returns false when somebody else is at it */
async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const { mtimeMs } = await stat(path);
    if (Math.abs(Date.now() - mtimeMs) > abandonedMs) await rm(path, { force: true });
    return false;
  }
}
