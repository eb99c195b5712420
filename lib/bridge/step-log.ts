/** The steps between `start` and the first persisted fragment. */
import type { BridgeStep } from './events.js';

/** Tells of each step once, with the time since the start. */
export class StepLog {
  readonly #onStep: (step: { readonly step: BridgeStep; readonly elapsedMs: number }) => void;
  readonly #made = new Set<BridgeStep>();
  #startedAtMs = 0;

  /** @param onStep - told when a step is made for the first time */
  constructor(onStep: (step: { readonly step: BridgeStep; readonly elapsedMs: number }) => void) {
    this.#onStep = onStep;
  }

  /** The time counts from now on. */
  begin(): void {
    this.#startedAtMs = performance.now();
  }

  has(step: BridgeStep): boolean {
    return this.#made.has(step);
  }

  made(step: BridgeStep): void {
    if (this.#made.has(step)) return;
    this.#made.add(step);
    this.#onStep({ step, elapsedMs: Math.round(performance.now() - this.#startedAtMs) });
  }
}
