/** What a bad network does to the packets of one direction. */
import type { SeededRandom } from './random.js';

/** What happens to packets. All default to nothing. */
export interface LinkConditions {
  /** Each way. */
  readonly delayMs?: number;
  /** Added to each packet's delay, evenly from 0 to this; order is kept. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  /** Packets lost in a row, on average. @defaultValue 1 */
  readonly burstPackets?: number;
  /** Packets that overtake those of the last few milliseconds. */
  readonly reorderPercent?: number;
  readonly duplicatePercent?: number;
}

const overtakenMs = 15;

/** One direction: decides for each packet whether, when and how often it arrives. */
export class Impairment implements Disposable {
  readonly #random: SeededRandom;
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastDueMs = 0;
  #losing = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Calls `send` as often as the packet arrives, now or later. */
  carry(conditions: LinkConditions, send: () => void): void {
    if (this.#isLost(conditions)) return;
    this.#later(conditions, send);
    if (this.#random.happens(conditions.duplicatePercent)) this.#later(conditions, send);
  }

  /** Forgets what is under way. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #isLost({ lossPercent = 0, burstPackets = 1 }: LinkConditions): boolean {
    if (lossPercent >= 100) return true;
    // Two states (Gilbert): bursts end with probability 1/length and begin often enough for the rest.
    const probability = lossPercent / 100;
    const begins = probability / (burstPackets * (1 - probability));
    this.#losing = this.#random.next() < (this.#losing ? 1 - 1 / burstPackets : begins);
    return this.#losing;
  }

  #later({ delayMs = 0, jitterMs = 0, reorderPercent }: LinkConditions, send: () => void): void {
    const nowMs = performance.now();
    let dueMs = nowMs + delayMs + this.#random.next() * jitterMs;
    if (this.#random.happens(reorderPercent)) {
      dueMs += overtakenMs;
    } else {
      dueMs = this.#lastDueMs = Math.max(dueMs, this.#lastDueMs);
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, dueMs - nowMs);
    this.#timers.add(timer);
  }
}
