/** Sends in order and never faster than the service allows. */

/** How many messages of one kind may leave within {@link windowMs}. */
export type PacerLimits<Kind extends string> = Readonly<Record<Kind, number>>;

/** Options of {@link Pacer}. */
export interface PacerOptions<Kind extends string> {
  readonly limits: PacerLimits<Kind>;
  /** Called for each message when its time has come; must not throw. */
  readonly send: (message: string) => void;
  /** Monotonic time in ms. @defaultValue performance.now */
  readonly now?: () => number;
}

/** The limits are per second; the margin is for the network, which may bunch what was spaced. */
const windowMs = 1100;

interface Entry<Kind> {
  readonly kind: Kind;
  readonly message: string;
}

/**
 * A queue with one order and a limit per kind. It looks at the last second instead of filling a
 * bucket: a full bucket would let twice the limit pass within one second after a pause.
 */
export class Pacer<Kind extends string> {
  readonly #options: PacerOptions<Kind>;
  readonly #now: () => number;
  readonly #queue: Entry<Kind>[] = [];
  /** Times of the latest sends by kind, oldest first, as many as the limit at most. */
  readonly #sentAtMs = new Map<Kind, number[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PacerOptions<Kind>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many messages wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Sends now, or as soon as the order and the limit allow. */
  push(kind: Kind, message: string): void {
    this.#queue.push({ kind, message });
    if (this.#timer === undefined) this.#drain();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#queue.length = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #drain(): void {
    this.#timer = undefined;
    for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
      const waitMs = this.#waitMs(entry.kind);
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#drain();
        }, Math.ceil(waitMs));
        return;
      }
      this.#queue.shift();
      this.#options.send(entry.message);
    }
  }

  /** Time until one more of `kind` may leave; when that is now, it counts as sent. */
  #waitMs(kind: Kind): number {
    const nowMs = this.#now();
    const times = this.#sentAtMs.get(kind) ?? [];
    this.#sentAtMs.set(kind, times);
    const [oldestMs] = times;
    if (oldestMs !== undefined && times.length >= this.#options.limits[kind]) {
      const waitMs = oldestMs + windowMs - nowMs;
      if (waitMs > 0) return waitMs;
      times.shift();
    }
    times.push(nowMs);
    return 0;
  }
}
