/** One AWS call with bounded retries and errors that tell what to do. */
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { awsErrorOf, dateOfError, failureOfError, isTransient } from './aws-errors.js';
import type { AwsCall } from './aws-errors.js';
import { awsClock } from './clock.js';
import { areSameKeys } from './credentials.js';
import type { AwsCredentials, CredentialsSource } from './credentials.js';
import { KvsBridgeError } from '../util/errors.js';

/** How {@link callAws} retries. */
export interface AwsCallOptions {
  readonly credentials: CredentialsSource;
  readonly signal?: AbortSignal | undefined;
  /** Attempts in all, the first included. @defaultValue 5 */
  readonly maxAttempts?: number;
  /** No attempt starts later than this after the first one, in ms. @defaultValue 20000 */
  readonly retryBudgetMs?: number;
  /** Bound of the first delay, in ms; later ones double up to 2 s. @defaultValue 200 */
  readonly minDelayMs?: number;
}

/**
 * Runs `attempt` until it succeeds, fails for good, or the bounds are reached. Network failures,
 * 5xx and throttling are tried again; refused credentials are asked for anew once, because keys in
 * files and roles rotate under a program that runs for months. A clock that is wrong is corrected by
 * AWS's own, once.
 *
 * @throws {@link AwsError} with a code and a fix for the cause; the abort reason when aborted
 */
export async function callAws<T>(
  call: AwsCall,
  attempt: (credentials: AwsCredentials) => Promise<T>,
  options: AwsCallOptions,
): Promise<T> {
  const {
    credentials,
    signal,
    maxAttempts = 5,
    retryBudgetMs = 20_000,
    minDelayMs = 200,
  } = options;
  const backoff = new Backoff({ minDelayMs, maxDelayMs: Math.max(2000, minDelayMs) });
  const startedAtMs = performance.now();
  const getOptions = signal === undefined ? {} : { signal };
  let keys = await credentials.get(getOptions);
  let renewed = false;
  let corrected = false;
  for (let count = 1; ; count += 1) {
    const { offsetMs } = awsClock;
    try {
      return await attempt(keys);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof KvsBridgeError) throw error;
      const failure = failureOfError(error);
      awsClock.observe(dateOfError(error));
      if (failure.kind === 'clockSkew' && !corrected && awsClock.offsetMs !== offsetMs) {
        corrected = true;
        continue;
      }
      if (failure.kind === 'credentials' && !renewed) {
        renewed = true;
        credentials.invalidate();
        const fresh = await credentials.get(getOptions);
        if (!areSameKeys(fresh, keys)) {
          keys = fresh;
          continue;
        }
      }
      const mayRetry = count < maxAttempts && performance.now() - startedAtMs < retryBudgetMs;
      if (!isTransient(failure) || !mayRetry) throw awsErrorOf(failure, call);
      await sleep(backoff.nextDelayMs(), signal);
    }
  }
}
