/** Ends the doubt about fragments that KVS may have stored without our knowing. */
import type { PutMediaError } from '../util/errors.js';
import type { Fragment } from './fragment.js';
import type { FragmentQueue } from './fragment-queue.js';
import type { StoredCheck } from './stored-check.js';

/** A fragment that KVS received this often without ever persisting it is given up. */
const maxTimesReceived = 3;

/** What a {@link Settlement} works with. */
export interface SettlementOptions {
  readonly queue: FragmentQueue;
  /** Undefined when nobody can be asked: then all is sent again. */
  readonly check: StoredCheck | undefined;
  /** KVS has it, by this number. */
  readonly onStored: (fragment: Fragment, fragmentNumber: string) => void;
  /** It could not be found out: what is still in doubt is sent again. */
  readonly onFailed: (error: PutMediaError) => void;
}

/** One question at a time; while it is open, nothing of what it is about should be sent. */
export class Settlement {
  readonly #options: SettlementOptions;
  readonly #closing = new AbortController();
  #isRunning = false;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Whether there is anything to ask about. */
  get isNeeded(): boolean {
    return this.#doubtful().length > 0;
  }

  /**
   * Asks about everything in doubt that no connection carries at present.
   *
   * @param isLast - what cannot be found out now counts as not stored. Otherwise it stays in doubt: a
   * network that broke the upload breaks the question too
   * @param onDone - at once when there is nothing to ask; never after {@link close}
   */
  run(isLast: boolean, onDone: () => void): void {
    const { check, onStored, onFailed } = this.#options;
    const doubtful = this.#doubtful();
    if (doubtful.length === 0 || check?.canAsk !== true) {
      this.#settle(doubtful);
      onDone();
      return;
    }
    this.#isRunning = true;
    check.run(doubtful, onStored, this.#closing.signal).then(
      ({ error }) => {
        this.#isRunning = false;
        const isOver = error === undefined || isLast || !check.canAsk;
        if (isOver) this.#settle(doubtful);
        if (isOver && error !== undefined) onFailed(error);
        onDone();
      },
      // Only closing rejects, and settles everything.
      () => undefined,
    );
  }

  close(): void {
    this.#closing.abort();
  }

  #doubtful(): readonly Fragment[] {
    return this.#options.queue
      .fragments()
      .filter(({ mayBeStored, progress }) => mayBeStored && progress === 'unsent');
  }

  /** After all that can be known of them is known. */
  #settle(doubtful: readonly Fragment[]): void {
    const { queue } = this.#options;
    for (const fragment of doubtful) {
      if (!fragment.isGone) queue.settle(fragment);
    }
    for (const fragment of queue.fragments()) {
      const { progress, timesReceived } = fragment;
      if (progress === 'unsent' && timesReceived >= maxTimesReceived) {
        queue.drop(fragment, 'neverPersisted');
      }
    }
  }
}
