/** How far a burst may exceed the rate: who paces to the very rate must not fail by jitter. */
const burstFactor = 1.5;

/** Allows so many events a second on average. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, nowMs = performance.now()) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond * burstFactor;
    this.#filledAtMs = nowMs;
  }

  /** Whether one more is within the rate; counts it if so. */
  take(nowMs = performance.now()): boolean {
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond * burstFactor, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
