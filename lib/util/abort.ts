/** Abort-aware waiting. Every function here removes its listeners on every path. */

/**
 * Resolves after `delayMs`, or rejects with `signal.reason` when aborted first.
 *
 * @param delayMs - milliseconds to wait, at least 0
 */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return abortable((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    return () => {
      clearTimeout(timer);
    };
  }, signal);
}

/**
 * Runs `start` and settles with what it resolves or rejects, or rejects with `signal.reason`.
 *
 * @param start - called once at once; returns a clean-up that runs when the promise settles
 */
export function abortable<T>(
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(asError(signal.reason));
      return;
    }
    const state = { settled: false, cleanUp: (): void => undefined };
    const settle = (finish: () => void): void => {
      if (state.settled) return;
      state.settled = true;
      signal?.removeEventListener('abort', onAbort);
      state.cleanUp();
      finish();
    };
    const onAbort = (): void => {
      settle(() => {
        reject(asError(signal?.reason));
      });
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const cleanUp = start(
      (value) => {
        settle(() => {
          resolve(value);
        });
      },
      (reason) => {
        settle(() => {
          reject(asError(reason));
        });
      },
    );
    // `start` may have settled before it returned.
    if (state.settled) cleanUp();
    else state.cleanUp = cleanUp;
  });
}

/** Turns an unknown rejection reason into an Error without losing one that already is. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
