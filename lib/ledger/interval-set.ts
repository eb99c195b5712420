/** Stretches of time, half open: `fromMs` belongs to one, `toMs` does not. Unix epoch ms. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How long two intervals coincide, in ms; 0 when they do not. */
export function overlapMs(a: Interval, b: Interval): number {
  return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}

/** What is left of sorted, disjoint `intervals` without `cuts`, which come in any order. */
export function without(
  intervals: readonly Interval[],
  cuts: readonly Interval[],
): readonly Interval[] {
  const holes = new IntervalSet();
  for (const cut of cuts) holes.add(cut);
  const left: Interval[] = [];
  let next = 0;
  for (const { fromMs, toMs } of intervals) {
    let atMs = fromMs;
    // A cut may reach into several intervals: the last one looked at is looked at again.
    while (next > 0 && (holes.items[next - 1]?.toMs ?? -Infinity) > fromMs) next -= 1;
    for (; next < holes.items.length; next += 1) {
      const cut = holes.items[next];
      if (cut === undefined || cut.fromMs >= toMs) break;
      if (cut.fromMs > atMs) left.push({ fromMs: atMs, toMs: cut.fromMs });
      atMs = Math.max(atMs, cut.toMs);
    }
    if (atMs < toMs) left.push({ fromMs: atMs, toMs });
  }
  return left;
}

/** The holes of sorted, disjoint `intervals` in a range. */
export function holesIn(range: Interval, intervals: readonly Interval[]): readonly Interval[] {
  return without(range.fromMs < range.toMs ? [range] : [], intervals);
}

/** A union of intervals. Empty ones leave no trace. */
export class IntervalSet {
  /** Sorted, with time between each two. */
  readonly #items: Interval[] = [];

  /** The intervals, in order of time; no two of them touch. */
  get items(): readonly Interval[] {
    return this.#items;
  }

  /** From the beginning of the first to the end of the last; undefined without any. */
  get hull(): Interval | undefined {
    const first = this.#items[0];
    const last = this.#items.at(-1);
    if (first === undefined || last === undefined) return undefined;
    return { fromMs: first.fromMs, toMs: last.toMs };
  }

  /** @param joinMs - what lies this close to a neighbour is joined with it */
  add({ fromMs, toMs }: Interval, joinMs = 0): void {
    if (!(fromMs < toMs)) return;
    const begin = this.#firstEndingAt(fromMs - joinMs);
    let end = begin;
    let joined: Interval = { fromMs, toMs };
    for (; end < this.#items.length; end += 1) {
      const item = this.#items[end];
      if (item === undefined || item.fromMs > toMs + joinMs) break;
      joined = {
        fromMs: Math.min(joined.fromMs, item.fromMs),
        toMs: Math.max(joined.toMs, item.toMs),
      };
    }
    this.#items.splice(begin, end - begin, joined);
  }

  /** Forgets what lies before `timeMs`. */
  dropBefore(timeMs: number): void {
    const kept = without(this.#items, [{ fromMs: -Infinity, toMs: timeMs }]);
    this.#items.splice(0, this.#items.length, ...kept);
  }

  /** Index of the first interval that ends at `timeMs` or later. */
  #firstEndingAt(timeMs: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.toMs ?? Infinity) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
