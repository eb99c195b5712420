/** The state of a Bridge, and how it came to be. */
import type { ErrorCode } from '../util/errors.js';
import { BridgeState } from './events.js';
import type { StateChange } from './events.js';

/** Changes that are kept: a Bridge that fails once a minute shows its last two hours. */
const maxHistory = 120;

/** Keeps the present state and the changes that led to it. */
export class StateMachine {
  readonly #onChange: (change: StateChange) => void;
  readonly #history: StateChange[] = [];
  #state: BridgeState = BridgeState.idle;
  #reason: string | undefined;

  /** @param onChange - told after every change */
  constructor(onChange: (change: StateChange) => void) {
    this.#onChange = onChange;
  }

  get state(): BridgeState {
    return this.#state;
  }

  /** The last changes, oldest first. */
  get history(): readonly StateChange[] {
    return [...this.#history];
  }

  /**
   * Goes to a state. Has no effect when it is the present one, unless there is another reason for
   * it, and once stopping only `stopped` may follow.
   *
   * @param reason - why, in words, where the state does not say it all
   * @param code - of the error behind it
   */
  enter(state: BridgeState, reason?: string, code?: ErrorCode): void {
    const previous = this.#state;
    const isOver = previous === BridgeState.stopping || previous === BridgeState.stopped;
    const isSame = state === previous && (reason === undefined || reason === this.#reason);
    if (isSame || (isOver && state !== BridgeState.stopped)) return;
    this.#state = state;
    this.#reason = reason;
    const change: StateChange = {
      state,
      previous,
      atMs: Date.now(),
      ...(reason === undefined ? {} : { reason }),
      ...(code === undefined ? {} : { code }),
    };
    this.#history.push(change);
    if (this.#history.length > maxHistory) this.#history.shift();
    this.#onChange(change);
  }
}
