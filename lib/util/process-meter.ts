/** Measures this process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * How often the event loop is looked at, in ms: what is shorter than this may go unseen. Each look
 * wakes the process, which has nothing else to do most of the time.
 */
const resolutionMs = 100;

/** What {@link ProcessMeter} reads. */
export interface MeteredUsage {
  /** Since the process began, all threads together. */
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  readonly residentBytes: number;
  /** The longest that the event loop kept a timer waiting since the last reading. */
  readonly eventLoopLagMs: number;
}

/** CPU, memory and event-loop lag of this process. Costs a timer in libuv, none in JavaScript. */
export class ProcessMeter implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#delay.enable();
  }

  read(): MeteredUsage {
    const { user, system } = process.cpuUsage();
    // The histogram counts from one tick to the next, so the interval itself is in it.
    const eventLoopLagMs = Math.max(0, this.#delay.max / 1e6 - resolutionMs);
    this.#delay.reset();
    return {
      cpuUserMs: user / 1_000,
      cpuSystemMs: system / 1_000,
      residentBytes: process.memoryUsage.rss(),
      eventLoopLagMs,
    };
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }
}
