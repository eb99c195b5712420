/** Steps that end in time, and that several checks share. */
import { abortable } from '../../util/abort.js';
import { ErrorCode, KvsBridgeError, asKvsBridgeError } from '../../util/errors.js';

/** How a step ended: it never throws, except when the caller aborts everything. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly error: KvsBridgeError;
      /** What was thrown, as it was: not to be shown. */
      readonly thrown: unknown;
    };

/** A step took too long. */
export class StepTimeout extends KvsBridgeError {
  override readonly name = 'StepTimeout';

  constructor(timeoutMs: number) {
    super(ErrorCode.aws, `no answer within ${timeoutMs / 1_000} s`);
  }
}

/**
 * Runs one step.
 *
 * @param work - gets a signal that aborts when the time is up; left alone when it goes on all the same
 * @throws the reason of `signal` when that aborts
 */
export async function step<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome<T>> {
  signal.throwIfAborted();
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new StepTimeout(timeoutMs));
  }, timeoutMs);
  const both = AbortSignal.any([signal, late.signal]);
  try {
    const value = await abortable<T>((resolve, reject) => {
      work(both).then(resolve, reject);
      return () => undefined;
    }, both);
    return { ok: true, value };
  } catch (error) {
    signal.throwIfAborted();
    const reason: unknown = late.signal.aborted ? late.signal.reason : error;
    return { ok: false, error: asKvsBridgeError(reason), thrown: reason };
  } finally {
    clearTimeout(timer);
    // What still runs has nobody to tell: it should not hold connections.
    late.abort(new StepTimeout(timeoutMs));
  }
}

/** Runs `work` at the first call; later calls get the same promise. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    if (running === undefined) {
      running = work();
      // Whoever asks sees it fail; nobody asking is no crash.
      running.catch(() => undefined);
    }
    return running;
  };
}
