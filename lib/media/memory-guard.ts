/** Notices that the media process has grown beyond its limit: something in it leaks. */
import { ErrorCode, MediaError } from '../util/errors.js';

/** So many checks in a row are above the limit: no peak of a moment. */
const checksAbove = 3;

/** Compares resident memory with a limit. */
export class MemoryGuard {
  readonly #limitBytes: number;
  readonly #read: () => number;
  #above = 0;

  /**
   * @param limitBytes - of resident memory; 0: none
   * @param read - resident memory of this process, in bytes
   */
  constructor(limitBytes: number, read = (): number => process.memoryUsage.rss()) {
    this.#limitBytes = limitBytes;
    this.#read = read;
  }

  /** To be called about once a second. @returns once, why this process has to be replaced */
  check(): MediaError | undefined {
    if (this.#limitBytes === 0) return undefined;
    const bytes = this.#read();
    this.#above = bytes > this.#limitBytes ? this.#above + 1 : 0;
    if (this.#above !== checksAbove) return undefined;
    const [used, limit] = [bytes, this.#limitBytes].map((value) => String(Math.round(value / 1e6)));
    return new MediaError(
      ErrorCode.mediaProcess,
      `The media process uses ${String(used)} MB of memory, more than the ${String(limit)} MB that it may: it is replaced`,
      { fix: 'Should this repeat soon after each start, allow more with --media-memory-mb.' },
    );
  }
}
