/** The drains of a sink that are under way, however many wait at once. */
import { performance } from 'node:perf_hooks';
import { abortable } from '../util/abort.js';
import type { DrainOptions, DrainResult, MediaSinkStats } from './media-sink.js';

/** Lets callers wait for the end of a sink's work. The sink tells of each change by {@link check}. */
export class Drains {
  readonly #stats: () => MediaSinkStats;
  readonly #isDone: (deadlineMs: number) => boolean;
  readonly #checks = new Set<() => void>();

  /**
   * @param stats - of the sink, read when a drain ends
   * @param isDone - whether a drain that may last until `deadlineMs`, on the monotonic clock, has
   * nothing to wait for any more
   */
  constructor(stats: () => MediaSinkStats, isDone: (deadlineMs: number) => boolean) {
    this.#stats = stats;
    this.#isDone = isDone;
  }

  /** Resolves when it is done, or the time is up. */
  wait({ timeoutMs, signal }: DrainOptions): Promise<DrainResult> {
    const deadlineMs = performance.now() + timeoutMs;
    return abortable((resolve) => {
      const finish = (): void => {
        const { fragmentsPersisted, fragmentsLost, fragmentsPending, lastPersistedTimecodeMs } =
          this.#stats();
        resolve({
          persistedFragments: fragmentsPersisted,
          lostFragments: fragmentsLost,
          pendingFragments: fragmentsPending,
          lastPersistedTimecodeMs,
        });
      };
      const check = (): void => {
        if (this.#isDone(deadlineMs)) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#checks.add(check);
      check();
      return () => {
        clearTimeout(timer);
        this.#checks.delete(check);
      };
    }, signal);
  }

  /** Something changed. */
  check(): void {
    for (const check of [...this.#checks]) check();
  }
}
