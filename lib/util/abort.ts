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
    let settled = false;
    let cleanUp: (() => void) | undefined;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      cleanUp?.();
      finish();
    };
    const onAbort = (): void => {
      settle(() => {
        reject(asError(signal?.reason));
      });
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    cleanUp = start(
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
    // TypeScript cannot see that `start` may have settled synchronously.
    if (settled as boolean) cleanUp();
  });
}

/** Turns an unknown rejection reason into an Error without losing one that already is. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
