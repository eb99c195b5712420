/** The spool of one sink: its own folder, the right to upload, and what others left behind. */
import { EventEmitter } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, sleep } from '../util/abort.js';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import type { FragmentSpool, FragmentSpoolEvents } from '../putmedia/fragment-spool.js';
import type { SpoolState, SpoolStatus } from '../putmedia/spool-status.js';
import { adopt } from './adopt.js';
import { spoolError } from './disk-errors.js';
import type { FragmentOwner } from '../putmedia/media-sink.js';
import { FileLock } from './file-lock.js';
import type { TryLock } from './file-lock.js';
import type { FragmentHead } from './fragment-format.js';
import { SpooledFragment } from './spooled-fragment.js';
import type { SpooledFragmentListener } from './spooled-fragment.js';
import { SpoolFolder, removeUnfinished } from './spool-folder.js';

/** Where fragments are kept until they are stored. */
export interface StreamSpoolOptions {
  /** Of this stream and no other; made when it is not there. */
  readonly folder: string;
  readonly streamName: string;
  /** Most bytes on disk. */
  readonly maxBytes: number;
  readonly tryLock: TryLock;
  /** Who receives what is written here, to be told to whoever finds it. */
  readonly owner?: FragmentOwner;
  /** How long a file stays, in ms, after it was told that KVS has it. @defaultValue 3000 */
  readonly lingerMs?: number;
  /** How often the disk is tried again after it failed, in ms. @defaultValue 30000 */
  readonly retryMs?: number;
  /** How often somebody else's right to upload is asked for, in ms. @defaultValue 200 */
  readonly pollMs?: number;
  /**
   * After so long without that right somebody should know, in ms: more than it takes a session that
   * ends to drain. @defaultValue 15000
   */
  readonly patienceMs?: number;
  /** How often new leftovers are looked for, in ms. @defaultValue 5000 */
  readonly scanMs?: number;
}

const lockFileName = 'upload.lock';

const closeLimitMs = 2_000;

/** How often it is said that somebody else uploads, in ms. */
const sayAgainMs = 600_000;

type Settings = Required<Omit<StreamSpoolOptions, 'owner'>> & Pick<StreamSpoolOptions, 'owner'>;

/**
 * Keeps fragments on disk. When the disk fails it says so once, lets fragments be in memory, and tries
 * again with a later one.
 *
 * One sink at a time uploads to a stream: the holder of `upload.lock`. Only it takes over what is in
 * the folders of sinks that are gone.
 */
export class StreamSpool extends EventEmitter<FragmentSpoolEvents> implements FragmentSpool {
  readonly #options: Settings;
  readonly #closing = new AbortController();
  readonly #inherited = new Map<SpoolFolder, Set<SpooledFragment>>();
  readonly #listener: SpooledFragmentListener;
  #own: Promise<SpoolFolder> | undefined;
  #uploadLock: FileLock | undefined;
  #mayUpload = false;
  #state: SpoolState = 'disk';
  #triesDiskAtMs = 0;
  #bytes = 0;
  readonly #held = new Set<SpooledFragment>();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void>;
  readonly #beganAtMs = performance.now();
  #warnsAtMs: number;
  /** Ends the wait of files that may be deleted. */
  readonly #lingering = new Set<() => void>();

  /** Begins to ask for the right to upload at once. */
  constructor({
    retryMs = 30_000,
    pollMs = 200,
    patienceMs = 15_000,
    scanMs = 5_000,
    lingerMs = 3_000,
    ...options
  }: StreamSpoolOptions) {
    super();
    this.#options = { retryMs, pollMs, patienceMs, scanMs, lingerMs, ...options };
    this.#warnsAtMs = this.#beganAtMs + patienceMs;
    this.#listener = {
      onProgress: () => this.emit('progress'),
      onFailed: (error) => {
        this.#degrade(error);
      },
      onSize: (deltaBytes) => {
        this.#bytes += deltaBytes;
        if (this.isOverfull) this.emit('overflow');
      },
      onRemoved: (fragment) => {
        this.#forget(fragment);
      },
      linger: () => this.#linger(),
    };
    this.#working = this.#begin();
  }

  /** True when this sink may upload: it is its turn, or nobody can take turns here. */
  get mayUpload(): boolean {
    return this.#mayUpload;
  }

  /** It holds more than it may. */
  get isOverfull(): boolean {
    return this.#bytes > this.#options.maxBytes;
  }

  status(): SpoolStatus {
    let fragments = 0;
    for (const { bytes } of this.#held) fragments += bytes > 0 ? 1 : 0;
    const ordersUploads = this.#uploadLock !== undefined || !this.#mayUpload;
    return { state: this.#state, bytes: this.#bytes, fragments, ordersUploads };
  }

  /** A fragment begins. @returns undefined when it is to stay in memory */
  begin(
    head: Pick<FragmentHead, 'epoch' | 'timecodeMs'>,
    header: Uint8Array,
  ): SpooledFragment | undefined {
    if (this.#state === 'memory') {
      if (performance.now() < this.#triesDiskAtMs) return undefined;
      // One fragment finds out for all.
      this.#triesDiskAtMs = performance.now() + this.#options.retryMs;
    }
    const { streamName, owner } = this.#options;
    const full = { ...head, streamName, ...(owner === undefined ? {} : { owner }) };
    const fragment = SpooledFragment.begin(this.#ownFolder(), full, header, {
      ...this.#listener,
      onProgress: () => {
        if (fragment.isComplete) this.#setState('disk');
        this.emit('progress');
      },
    });
    this.#held.add(fragment);
    return fragment;
  }

  /** Waits until what was written is on disk, up to a bound. */
  async flush(timeoutMs: number): Promise<void> {
    const late = new AbortController();
    const written = Promise.all([...this.#held].map((fragment) => fragment.settled()));
    // A disk that hangs must not keep the process.
    await Promise.race([written, sleep(timeoutMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  /** Lets go of everything; what is on disk stays there, for the next one to adopt. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#timer);
    for (const end of this.#lingering) end();
    // A disk that hangs must not keep the process, which gives everything back when it ends.
    const late = new AbortController();
    await Promise.race([this.#release(), sleep(closeLimitMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  async #begin(): Promise<void> {
    const { folder } = this.#options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeUnfinished(folder);
      await this.#tick();
    } catch (error) {
      // Without a place to take turns, everybody uploads as if alone.
      this.#degrade(asError(error));
      this.#startUploading();
    }
  }

  async #tick(): Promise<void> {
    if (this.#isClosing()) return;
    const { folder, pollMs, scanMs, tryLock } = this.#options;
    this.#uploadLock ??= await FileLock.tryAcquire(
      join(folder, lockFileName),
      `${process.pid}`,
      tryLock,
    );
    if (this.#uploadLock === undefined) {
      await this.#warnOfWaiting();
    } else {
      await this.#takeLeftovers();
      this.#startUploading();
    }
    if (this.#isClosing()) return;
    const delayMs = this.#uploadLock === undefined ? pollMs : scanMs;
    this.#timer = setTimeout(() => {
      this.#working = Promise.all([this.#working, this.#tick().catch(() => undefined)]).then(
        () => undefined,
      );
    }, delayMs);
  }

  async #takeLeftovers(): Promise<void> {
    for (const folder of await SpoolFolder.inherit(this.#options.folder, this.#options.tryLock)) {
      const { copies, storedCopies, ...leftovers } = await adopt(folder, this.#listener);
      for (const copy of copies) this.#held.add(copy);
      const all = new Set([...copies, ...storedCopies.keys()]);
      if (all.size === 0) await folder.release();
      else this.#inherited.set(folder, all);
      if (leftovers.damagedFiles > 0) this.#warnOfDamage(leftovers.damagedFiles);
      if (this.#isClosing()) continue;
      this.emit('leftovers', leftovers);
      for (const [copy, fragmentNumber] of storedCopies) copy.remove(fragmentNumber);
    }
  }

  #linger(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#lingering.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.#isClosing() ? 0 : this.#options.lingerMs);
      this.#lingering.add(end);
    });
  }

  async #release(): Promise<void> {
    await this.#working;
    await (await this.#own?.catch(() => undefined))?.release();
    for (const folder of this.#inherited.keys()) await folder.release();
    // Last: whoever gets it takes over the folders.
    await this.#uploadLock?.release();
  }

  #startUploading(): void {
    if (this.#mayUpload || this.#isClosing()) return;
    this.#mayUpload = true;
    this.emit('mayUpload');
  }

  /** A fragment's file is being deleted: it is stored, given up, or failed. */
  #forget(fragment: SpooledFragment): void {
    this.#held.delete(fragment);
    let emptied: SpoolFolder | undefined;
    for (const [folder, fragments] of this.#inherited) {
      if (fragments.delete(fragment) && fragments.size === 0) emptied = folder;
    }
    if (emptied !== undefined) this.#inherited.delete(emptied);
    this.#working = Promise.all([this.#working, fragment.settled()]).then(() => emptied?.release());
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #ownFolder(): Promise<string> {
    if (this.#own === undefined) {
      const own = SpoolFolder.create(this.#options.folder, this.#options.tryLock);
      this.#own = own;
      own.catch(() => {
        // The next fragment tries again.
        if (this.#own === own) this.#own = undefined;
      });
    }
    const path = this.#own.then((folder) => folder.path);
    path.catch(() => undefined);
    return path;
  }

  #degrade(error: Error): void {
    if (this.#isClosing()) return;
    this.#triesDiskAtMs = performance.now() + this.#options.retryMs;
    if (this.#state === 'memory') return;
    this.emit('warning', spoolError(error, this.#options.folder));
    this.#setState('memory');
  }

  #setState(state: SpoolState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', this.status());
  }

  async #warnOfWaiting(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.#warnsAtMs) return;
    this.#warnsAtMs = nowMs + sayAgainMs;
    const { folder, streamName } = this.#options;
    const holder = await readFile(join(folder, lockFileName), 'utf8').catch(() => '');
    const who = /^\d{1,10}$/.test(holder) ? `Process ${holder}` : 'Another process';
    const waitedSeconds = Math.round((nowMs - this.#beganAtMs) / 1_000);
    this.emit(
      'warning',
      new KvsBridgeError(
        ErrorCode.streamInUse,
        `${who} has been uploading to the stream "${streamName}" for ${waitedSeconds} s; what this one received waits in the spool`,
        {
          fix: 'Stop that process, or record into another stream: one kvs-bridge per stream. If it is just ending there is nothing to do.',
        },
      ),
    );
  }

  #warnOfDamage(files: number): void {
    const { folder } = this.#options;
    this.emit(
      'warning',
      new KvsBridgeError(
        ErrorCode.dataFolder,
        `The spool held ${files} file(s) that are no fragments; they are in ${join(folder, 'damaged')}`,
        { fix: 'Check the disk and its file system; delete the files when nobody needs them.' },
      ),
    );
  }
}
