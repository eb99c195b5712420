/** Which of a Bridge's events `--json` writes, and how often those that only count on. */
import type { BridgeEvent, BridgeEventName } from '../../lib/index.js';
import type { Values } from './option-table.js';

/** What a person set. */
export type EventSettings = Values<'events' | 'totalsInterval'>;

/** A Bridge counts once a second, give or take this, in ms. */
const toleranceMs = 500;

/** Everything at once, but what would come every second whether anything happened or not. */
export class EventFilter {
  readonly #names: ReadonlySet<BridgeEventName>;
  readonly #intervalMs: number;
  readonly #takenAtMs = new Map<BridgeEventName, number>();
  #spoolState: string | undefined;

  constructor({ events, totalsInterval }: EventSettings) {
    this.#names = new Set(events);
    this.#intervalMs = totalsInterval;
  }

  /** Whether the event is to be written. */
  takes(event: BridgeEvent): boolean {
    if (!this.#names.has(event.name)) return false;
    switch (event.name) {
      case 'totals':
      case 'stats':
        return this.#isDue(event.name);
      case 'spool': {
        const { state } = event.data;
        if (state !== this.#spoolState) this.#takenAtMs.delete('spool');
        this.#spoolState = state;
        return this.#isDue('spool');
      }
      default:
        return true;
    }
  }

  #isDue(name: BridgeEventName): boolean {
    const nowMs = performance.now();
    const takenAtMs = this.#takenAtMs.get(name) ?? -Infinity;
    if (nowMs - takenAtMs < this.#intervalMs - toleranceMs) return false;
    this.#takenAtMs.set(name, nowMs);
    return true;
  }
}
