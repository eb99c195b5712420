/** What earlier sessions taught about the master, for the sessions that follow. */

/** How long the first session waits for the first packet, in ms: a peer fault ends it by then. */
const firstMediaMs = 5_000;

/** How long the first session's video may pause, in ms. */
const silentVideoMs = 4_000;

/** A master that never sends is not offered anew more often than this, in ms. */
const longestPatienceMs = 300_000;

/** A session that has video this soon after it is connected has helped, in ms. */
const promptVideoMs = 5_000;

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
 * Never sooner than twice the time that it took to answer: some answer each repeat anew.
 */
const reofferExpectedMs = { min: 2_000, max: 10_000 } as const;

/**
 * From an answer to the connection, in ms. TURN over TLS takes a few round trips, and candidates
 * trickle: of a master whose time is known some attempts get a few times that, since one that was
 * begun while the network was away does not come about when it is back.
 */
const connectMs = { min: 3_000, max: 10_000, times: 4, shortAttempts: 3 } as const;

/** Kept over the sessions of one Bridge. */
export class MasterMemory {
  #firstMediaMs = firstMediaMs;
  #silentVideoMs = silentVideoMs;
  #seenAtMs = -Infinity;
  #answeredInMs = 0;
  #connectedInMs = Infinity;
  /** That led to no connection since the last that did. */
  #failedAttempts = 0;
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

  /**
   * How long the next session's video may pause, in ms. It doubles with every session that ended
   * by that, until one has video at once: a master that pauses as it likes is left in peace, and
   * its sound is not interrupted again and again.
   */
  get silentVideoMs(): number {
    return this.#silentVideoMs;
  }

  /** It was here so lately that it is expected back. */
  get isExpected(): boolean {
    return this.#now() - this.#seenAtMs < expectedBackMs;
  }

  /** How long the next session may take from the answer to the connection, in ms. */
  get connectMs(): number {
    const { min, max, times, shortAttempts } = connectMs;
    const isLong = this.#failedAttempts % (shortAttempts + 1) === shortAttempts;
    if (!this.isExpected || isLong) return max;
    return Math.min(max, Math.max(min, Math.round(times * this.#connectedInMs)));
  }

  /** The master answered. @param afterMs - since the offer was last sent */
  onAnswer(afterMs: number): void {
    // The answer may be to an offer before the last: a slow master is not forgotten at once.
    this.#answeredInMs = Math.max(afterMs, this.#answeredInMs / 2);
  }

  /** A connection came about. @param afterMs - since the answer */
  onConnected(afterMs: number): void {
    this.#connectedInMs = afterMs;
    this.#failedAttempts = 0;
    this.onSeen();
  }

  /** An answer led to no connection. */
  onNoConnection(): void {
    this.#failedAttempts += 1;
  }

  /** The master is here now. */
  onSeen(): void {
    this.#seenAtMs = this.#now();
  }

  /** Media of the master arrives. */
  onMedia(): void {
    this.#firstMediaMs = firstMediaMs;
  }

  /** The first video of a session. @param afterMs - since it was connected */
  onVideo(afterMs: number): void {
    if (afterMs <= promptVideoMs) this.#silentVideoMs = silentVideoMs;
  }

  /** A session ended because no media came. @param hadMedia - it came before */
  onNoMedia(hadMedia: boolean): void {
    if (hadMedia) this.#silentVideoMs = longer(this.#silentVideoMs);
    else this.#firstMediaMs = longer(this.#firstMediaMs);
  }

  /** Time until an offer is repeated, in ms. @param repeats - of this offer so far */
  reofferDelayMs(repeats: number): number {
    if (this.isExpected) {
      const { min, max } = reofferExpectedMs;
      return Math.min(max, Math.max(min, Math.round(2 * this.#answeredInMs)));
    }
    return reofferDelaysMs[Math.min(repeats, reofferDelaysMs.length - 1)] ?? 0;
  }
}

function longer(patienceMs: number): number {
  return Math.min(longestPatienceMs, patienceMs * 2);
}
