/** One fragment on disk: written as it grows, read back when it is its turn, removed when stored. */
import { open, readFile, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FragmentCopy, LoadedFragment } from '../putmedia/fragment.js';
import type { FragmentTotals } from '../putmedia/media-sink.js';
import { asError } from '../util/abort.js';
import { deferred } from '../util/deferred.js';
import { countFrames } from './count-frames.js';
import { decodeFragment, encodeEnd, encodeMedia, encodeStart } from './fragment-format.js';
import type { FragmentHead } from './fragment-format.js';
import { fragmentFileName } from './fragment-name.js';
import type { FragmentName } from './fragment-name.js';

/** A disk that takes longer for a write, in ms, is not waited for: live media goes on from memory. */
const stallLimitMs = 2_000;

/** What becomes of the file. */
export interface SpooledFragmentListener {
  /** More of it is on disk, or the file is done for. */
  onProgress(): void;
  /** The disk failed; `onProgress` follows, the fragment is in memory only from here on. */
  onFailed(error: Error): void;
  /** The file has grown, or is gone, by so many bytes. */
  onSize(deltaBytes: number): void;
  /** {@link SpooledFragment.remove} was called. */
  onRemoved(fragment: SpooledFragment): void;
  /** Resolves when whoever was told just now that a fragment is stored has written that down. */
  linger(): Promise<void>;
}

/**
 * A fragment's file. Every method returns at once; what it starts happens in order, off this thread.
 * Writes that come while one is under way go out together.
 */
export class SpooledFragment implements FragmentCopy {
  readonly #folder: Promise<string>;
  readonly #listener: SpooledFragmentListener;
  readonly #name: Omit<FragmentName, 'isSent'>;
  #isSent: boolean;
  #file: FileHandle | undefined;
  #tail: Promise<void> = Promise.resolve();
  #waiting: Buffer[] = [];
  #waitingChunks = 0;
  #isFlushQueued = false;
  #writtenChunks = 0;
  #isComplete = false;
  #isFailed = false;
  #isRemoved = false;
  #isEnding = false;
  #isStalled = false;
  #cannotBeMarked = false;
  #bytes = 0;

  private constructor(
    folder: Promise<string>,
    name: FragmentName,
    listener: SpooledFragmentListener,
  ) {
    this.#folder = folder;
    const { isSent, ...place } = name;
    this.#name = place;
    this.#isSent = isSent;
    this.#listener = listener;
  }

  /** A new file. */
  static begin(
    folder: Promise<string>,
    head: FragmentHead,
    header: Uint8Array,
    listener: SpooledFragmentListener,
  ): SpooledFragment {
    const { timecodeMs, epoch } = head;
    const fragment = new SpooledFragment(folder, { timecodeMs, epoch, isSent: false }, listener);
    fragment.#waiting.push(encodeStart(head, header));
    return fragment;
  }

  /** A file that is there, of so many bytes. */
  static existing(
    folder: string,
    name: FragmentName,
    bytes: number,
    listener: SpooledFragmentListener,
  ): SpooledFragment {
    const fragment = new SpooledFragment(Promise.resolve(folder), name, listener);
    fragment.#writtenChunks = Infinity;
    fragment.#isComplete = true;
    fragment.#grow(bytes);
    return fragment;
  }

  /** How many of the chunks given to {@link append} the system has taken: those may be sent. */
  get writtenChunks(): number {
    return this.#isStalled ? Infinity : this.#writtenChunks;
  }

  /** All of it is on disk, and can be had again by {@link load}. */
  get isComplete(): boolean {
    return this.#isComplete && !this.#isFailed;
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  /** {@link markSent} was done, now or in an earlier process; or the disk refuses, or will be late. */
  get isMarkedSent(): boolean {
    return this.#isSent || this.#isStalled || this.#cannotBeMarked;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next write of the producer. */
  append(bytes: Uint8Array): void {
    if (this.#isRemoved || this.#isFailed) return;
    this.#waiting.push(encodeMedia(bytes));
    this.#waitingChunks += 1;
    this.#queueFlush();
  }

  /** The last of it is there. @param totals - undefined when nobody counted them */
  end(totals: FragmentTotals | undefined): void {
    if (this.#isRemoved || this.#isFailed) return;
    this.#isEnding = true;
    if (totals !== undefined) this.#waiting.push(encodeEnd(totals));
    this.#enqueue(async () => {
      await this.#flush();
      if (this.#isRemoved) return;
      await this.#file?.datasync();
      await this.#close();
      this.#isComplete = true;
      this.#listener.onProgress();
    });
  }

  /**
   * Notes that some of it is about to go to KVS, before it does: what was never sent can be sent
   * after a crash without asking anybody. Where the disk refuses, it goes all the same.
   */
  markSent(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#isSent || this.#cannotBeMarked) return;
      const folder = await this.#folder;
      const name = fragmentFileName({ ...this.#name, isSent: true });
      try {
        await rename(this.#path(folder), join(folder, name));
        this.#isSent = true;
      } catch {
        this.#cannotBeMarked = true;
      }
    });
  }

  /**
   * Reads it back. Where the end is damaged, the frames are counted that are left.
   *
   * @returns undefined when it cannot be read, or is no fragment
   */
  async load(): Promise<LoadedFragment | undefined> {
    let loaded: LoadedFragment | undefined;
    await this.#inOrder(async () => {
      const bytes = await readFile(this.#path(await this.#folder)).catch(() => undefined);
      const content = bytes && decodeFragment(bytes);
      if (content === undefined) return;
      const { media, header, totals } = content;
      if (totals !== undefined) {
        loaded = { media, totals, isStorable: true };
        return;
      }
      const count = countFrames(header, media);
      if (count === undefined) return;
      const { isStorable, ...counted } = count;
      loaded = { media, totals: counted, isStorable };
    });
    return loaded;
  }

  /**
   * Deletes the file. Later calls of any method do nothing.
   *
   * @param fragmentNumber - KVS has it by this number: the file first gets a name that says so, and
   * stays until that is written down elsewhere
   */
  remove(fragmentNumber?: string): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.#waiting = [];
    this.#grow(-this.#bytes);
    this.#tail = this.#tail.then(async () => {
      await this.#close().catch(() => undefined);
      const folder = await this.#folder.catch(() => undefined);
      if (folder === undefined) return;
      // Where it cannot be deleted, it is found again by the next start, which asks KVS about it.
      await this.#delete(folder, fragmentNumber).catch(() => undefined);
    });
    this.#listener.onRemoved(this);
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#tail;
  }

  async #delete(folder: string, fragmentNumber: string | undefined): Promise<void> {
    let path = this.#path(folder);
    if (fragmentNumber !== undefined && this.#isComplete) {
      const before = path;
      path = join(folder, fragmentFileName({ ...this.#name, isSent: true, fragmentNumber }));
      await rename(before, path);
      await this.#listener.linger();
    }
    await unlink(path);
  }

  #path(folder: string): string {
    return join(folder, fragmentFileName({ ...this.#name, isSent: this.#isSent }));
  }

  #queueFlush(): void {
    if (this.#isFlushQueued || this.#isEnding) return;
    this.#isFlushQueued = true;
    this.#enqueue(() => {
      this.#isFlushQueued = false;
      return this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#isRemoved || this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    const chunks = this.#waitingChunks;
    this.#waiting = [];
    this.#waitingChunks = 0;
    this.#file ??= await open(this.#path(await this.#folder), 'ax', 0o600);
    await this.#file.writeFile(bytes);
    this.#countWritten(bytes.length, chunks);
  }

  #countWritten(bytes: number, chunks: number): void {
    if (this.#isRemoved) return;
    this.#grow(bytes);
    this.#writtenChunks += chunks;
    this.#listener.onProgress();
  }

  /** Does something after everything asked for before; when it fails, the file is given up. */
  #enqueue(action: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isFailed) return;
      const stall = setTimeout(() => {
        this.#isStalled = true;
        this.#listener.onProgress();
      }, stallLimitMs);
      try {
        await action();
      } catch (error) {
        this.#fail(asError(error));
      }
      clearTimeout(stall);
      this.#isStalled = false;
    });
  }

  #inOrder(action: () => Promise<void>): Promise<void> {
    const done = deferred<undefined>();
    this.#enqueue(async () => {
      if (!this.#isRemoved) await action();
    });
    this.#tail = this.#tail.then(() => {
      done.resolve(undefined);
    });
    return done.promise;
  }

  #fail(error: Error): void {
    if (this.#isRemoved) return;
    this.#isFailed = true;
    this.#listener.onFailed(error);
    this.remove();
    this.#listener.onProgress();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #grow(deltaBytes: number): void {
    this.#bytes += deltaBytes;
    if (deltaBytes !== 0) this.#listener.onSize(deltaBytes);
  }
}
