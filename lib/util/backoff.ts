/** Bounds of an exponential backoff with full jitter. */
export interface BackoffOptions {
  /** Upper bound of the first delay, in ms. */
  readonly minDelayMs: number;
  /** Upper bound of every delay, in ms. */
  readonly maxDelayMs: number;
  /** Source of randomness in [0, 1). @defaultValue Math.random */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter: attempt n waits a random time in
 * `[minDelayMs / 2, min(maxDelayMs, minDelayMs * 2^n)]`. Never zero, so that a permanent failure
 * can never become a hot loop.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many delays were handed out since the last {@link reset}. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The next delay in ms. */
  nextDelayMs(): number {
    const { minDelayMs, maxDelayMs, random = Math.random } = this.#options;
    const ceilingMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    const floorMs = minDelayMs / 2;
    return floorMs + random() * (ceilingMs - floorMs);
  }

  /** Starts over after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
