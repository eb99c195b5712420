/** The steps between `start` and the first persisted fragment. */
import type { BridgeStep } from './events.js';

/** Who is told of steps. */
export interface StepHandlers {
  /** For the first time, so long after the start. */
  readonly onFirst: (step: { readonly step: BridgeStep; readonly elapsedMs: number }) => void;
  /** Each time: every session makes most of them anew. */
  readonly onMade: (step: BridgeStep) => void;
}

/** Tells of each step, and of its first time. */
export class StepLog {
  readonly #handlers: StepHandlers;
  readonly #made = new Set<BridgeStep>();
  #startedAtMs = 0;

  constructor(handlers: StepHandlers) {
    this.#handlers = handlers;
  }

  /** The time counts from now on. */
  begin(): void {
    this.#startedAtMs = performance.now();
  }

  has(step: BridgeStep): boolean {
    return this.#made.has(step);
  }

  made(step: BridgeStep): void {
    this.#handlers.onMade(step);
    if (this.#made.has(step)) return;
    this.#made.add(step);
    this.#handlers.onFirst({ step, elapsedMs: Math.round(performance.now() - this.#startedAtMs) });
  }
}
