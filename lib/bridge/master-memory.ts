/** What earlier sessions taught about the master, for the sessions that follow. */

/** How long the first session waits for the first packet, in ms: a peer fault ends it by then. */
const firstMediaMs = 5_000;

/** A master that never sends is not offered anew more often than this, in ms. */
const longestFirstMediaMs = 300_000;

/** A master that was here this recently is expected back, in ms. */
const expectedBackMs = 600_000;

/**
 * When an offer without an answer is repeated; the last delay repeats. The service keeps an offer
 * that it could not deliver for 60 s (MessageTtlSeconds), so a master that comes finds one at once;
 * the repeats are for one that was delivered to a master that was about to go.
 */
const reofferDelaysMs = [5_000, 10_000, 25_000] as const;

/**
 * The same for a master that was here just now. Its old signaling connection may look alive to the
 * service for minutes (power cut, other network) and swallow offers, and it shall be back in 5 s.
 * Not less: a small device may take seconds to answer, and some answer each repeat anew.
 */
const reofferExpectedMs = 4_000;

/** Kept over the sessions of one Bridge. */
export class MasterMemory {
  #firstMediaMs = firstMediaMs;
  #seenAtMs = -Infinity;
  readonly #now: () => number;

  /** @param now - monotonic time in ms; for tests */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * How long the next session waits for a first packet of media, in ms. It doubles with every
   * session that got none: a fresh session helps a master that is broken, and one whose camera is
   * off shall not be bothered for ever, nor be missed when it begins.
   */
  get firstMediaMs(): number {
    return this.#firstMediaMs;
  }

  /** The master is here now. */
  onSeen(): void {
    this.#seenAtMs = this.#now();
  }

  /** Media of the master arrives. */
  onMedia(): void {
    this.#firstMediaMs = firstMediaMs;
  }

  /** A session ended because no media came at all. */
  onNoMedia(): void {
    this.#firstMediaMs = Math.min(longestFirstMediaMs, this.#firstMediaMs * 2);
  }

  /** Time until an offer is repeated, in ms. @param repeats - of this offer so far */
  reofferDelayMs(repeats: number): number {
    if (this.#now() - this.#seenAtMs < expectedBackMs) return reofferExpectedMs;
    return reofferDelaysMs[Math.min(repeats, reofferDelaysMs.length - 1)] ?? 0;
  }
}
