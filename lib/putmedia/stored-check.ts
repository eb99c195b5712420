/** Finds out which fragments KVS stored although a connection broke before it could say so. */
import { abortable, asError, sleep } from '../util/abort.js';
import { ErrorCode, KvsBridgeError, PutMediaError } from '../util/errors.js';
import { redact } from '../util/redact.js';
import type { Fragment } from './fragment.js';

/**
 * Tells which fragments KVS has already, by their producer timestamps (ListFragments can).
 *
 * @param timecodesMs - first frames' times of the fragments in doubt, ms since the epoch
 * @returns the numbers of those that are persisted, by the same times
 */
export type PersistedLookup = (
  timecodesMs: readonly number[],
  options: { readonly signal: AbortSignal },
) => Promise<ReadonlyMap<number, string>>;

/** Options of {@link StoredCheck}. */
export interface StoredCheckOptions {
  readonly lookUp: PersistedLookup;
  /** Longest wait for one answer, in ms. @defaultValue 5000 */
  readonly timeoutMs?: number;
  /**
   * How long "it is not there" is not believed, in ms. @defaultValue 3000
   *
   * ListFragments is eventually consistent: what is persisted may be missing from its answer,
   * typically for less than a second (AWS API reference, ListFragments). And what KVS had received
   * when the connection broke may become persisted only now.
   */
  readonly settleMs?: number;
}

/** How a check went. */
export interface StoredCheckResult {
  /** Why some fragments are still in doubt; undefined when all is known. */
  readonly error: PutMediaError | undefined;
}

/** Pause between two questions, in ms: ListFragments takes 5 calls a second (AWS quotas). */
const askAgainMs = 500;

/** Asks about fragments in doubt. Once asking is forbidden, it is not tried again. */
export class StoredCheck {
  readonly #options: Required<StoredCheckOptions>;
  #isForbidden = false;

  constructor({ lookUp, timeoutMs = 5_000, settleMs = 3_000 }: StoredCheckOptions) {
    this.#options = { lookUp, timeoutMs, settleMs };
  }

  /** False once the answer was that the credentials do not allow the question. */
  get canAsk(): boolean {
    return !this.#isForbidden;
  }

  /**
   * Asks until all are found or "not there" can be believed.
   *
   * @param onStored - called for each that is stored, with its number
   * @throws the signal's reason
   */
  async run(
    fragments: readonly Fragment[],
    onStored: (fragment: Fragment, fragmentNumber: string) => void,
    signal: AbortSignal,
  ): Promise<StoredCheckResult> {
    const { settleMs } = this.#options;
    const believeAtMs = performance.now() + settleMs;
    for (;;) {
      const left = fragments.filter(({ isGone }) => !isGone);
      let error: PutMediaError | undefined;
      try {
        const stored = await this.#ask(left, signal);
        for (const fragment of left) {
          const number = stored.get(fragment.timecodeMs);
          if (number !== undefined) onStored(fragment, number);
        }
      } catch (reason) {
        signal.throwIfAborted();
        this.#isForbidden =
          reason instanceof KvsBridgeError && reason.code === ErrorCode.accessDenied;
        error = toError(reason);
      }
      const remainingMs = believeAtMs - performance.now();
      const isDone = left.every(({ isGone }) => isGone) || remainingMs <= 0;
      if (isDone || this.#isForbidden) return { error };
      await sleep(Math.min(askAgainMs, remainingMs), signal);
    }
  }

  #ask(fragments: readonly Fragment[], ended: AbortSignal): Promise<ReadonlyMap<number, string>> {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(this.#options.timeoutMs)]);
    return abortable((resolve, reject) => {
      const timecodesMs = fragments.map(({ timecodeMs }) => timecodeMs);
      this.#options.lookUp(timecodesMs, { signal }).then(resolve, reject);
      return () => undefined;
    }, signal);
  }
}

function toError(reason: unknown): PutMediaError {
  const { message } = asError(reason);
  const fix =
    reason instanceof KvsBridgeError && reason.fix !== undefined
      ? reason.fix
      : 'Check the network; until then, media may be stored twice.';
  return new PutMediaError(
    reason instanceof KvsBridgeError ? reason.code : ErrorCode.putMedia,
    `Cannot find out what KVS has stored already, so it is sent again and may be stored twice (${redact(message)})`,
    { fix },
  );
}
