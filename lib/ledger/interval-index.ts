/** Finds, among many intervals, those that touch one. */
import type { Interval } from './interval-set.js';

interface Place<Item> {
  readonly item: Item;
  /** Among those that it came in with. */
  readonly rank: number;
  /** Until when any lasts, of this one and those that begin before it. */
  readonly reachMs: number;
}

/** Intervals that may overlap, by time. */
export class IntervalIndex<Item extends Interval> {
  /** By their beginning. */
  readonly #places: readonly Place<Item>[];

  constructor(items: readonly Item[]) {
    let reachMs = -Infinity;
    this.#places = items
      .map((item, rank) => ({ item, rank }))
      .sort((a, b) => a.item.fromMs - b.item.fromMs)
      .map((place) => ({ ...place, reachMs: (reachMs = Math.max(reachMs, place.item.toMs)) }));
  }

  /** Those that begin by `toMs` and end at `fromMs` or later, in the order that they came in. */
  touching({ fromMs, toMs }: Interval): readonly Item[] {
    const found: Place<Item>[] = [];
    for (let next = this.#firstReaching(fromMs); next < this.#places.length; next += 1) {
      const place = this.#places[next];
      if (place === undefined || place.item.fromMs > toMs) break;
      if (place.item.toMs >= fromMs) found.push(place);
    }
    return found.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
  }

  #firstReaching(timeMs: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle]?.reachMs ?? Infinity) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
