/** Tells a passing refusal from an element that repeats a refused request in a hot loop. */

const stormSize = 30;
const stormWindowMs = 5_000;

/** Counts refusals. Pure: the caller tells the time. */
export class RefusalStorm {
  readonly #atMs: number[] = [];

  /**
   * One more refusal.
   *
   * @param nowMs - on a monotonic clock
   * @returns whether there were so many within 5 s that no backoff can be at work
   */
  add(nowMs: number): boolean {
    this.#atMs.push(nowMs);
    while ((this.#atMs[0] ?? nowMs) < nowMs - stormWindowMs) this.#atMs.shift();
    return this.#atMs.length >= stormSize;
  }
}
