/** What is known of a stored fragment, and its number. */

/** One stored fragment. */
export interface Fragment {
  /** 47 decimal digits, increasing within a stream. Never a JS number: it exceeds 2^53. */
  readonly number: string;
  /** When it began to arrive, epoch ms. */
  readonly serverTimestampMs: number;
  /** Its cluster's time by the producer's clock, epoch ms. */
  readonly producerTimestampMs: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** Where in its bytes the cluster begins; before it stand the upload's header and the tags. */
  readonly clusterOffset: number;
}

/** A fragment that is received and waits to be stored. */
export interface NewFragment extends Fragment {
  readonly parts: readonly Buffer[];
}

/** What can be read of a stream. */
export interface StreamReader {
  /** In order of their numbers. */
  readonly fragments: readonly Fragment[];
  /** A Matroska file of its own with one cluster. Rejects when the fragment was trimmed. */
  read(number: string): Promise<Buffer>;
}

/** As real numbers begin; keeps them at 47 digits. */
const prefix = '9134385233318';
const millisDigits = 14;
const sequenceDigits = 20;
const pattern = /^\d{1,128}$/;

/** Whether text can be a fragment number (API reference, GetMediaForFragmentList). */
export function isFragmentNumber(text: string): boolean {
  return pattern.test(text);
}

/** Orders fragment numbers. */
export function compareNumbers(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Hands out numbers that grow, also over restarts and clocks that are set back. */
export class FragmentNumbers {
  #last: string;

  /** @param last - highest number in use */
  constructor(last: string | undefined) {
    this.#last = last ?? '0';
  }

  next(nowMs = Date.now()): string {
    const byClock = prefix + String(nowMs).padStart(millisDigits, '0') + '0'.repeat(sequenceDigits);
    this.#last =
      compareNumbers(byClock, this.#last) > 0 ? byClock : String(BigInt(this.#last) + 1n);
    return this.#last;
  }
}
