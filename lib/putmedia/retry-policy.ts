/** How long to wait before the next PutMedia request. Pure logic. */
import { Backoff } from '../util/backoff.js';
import { isRefusal } from './put-media-failure.js';
import type { RetryClass } from './put-media-failure.js';

/** Options of {@link RetryPolicy}. */
export interface RetryPolicyOptions {
  /** Upper bound of the first delay, in ms. @defaultValue 200 */
  readonly minDelayMs?: number;
  /** Upper bound of delays after passing faults, in ms. @defaultValue 10000 */
  readonly maxDelayMs?: number;
  /**
   * Upper bound of delays while somebody has to act on the stream or a permission, in ms; the first
   * is a twelfth of it. @defaultValue 60000
   */
  readonly slowDelayMs?: number;
  /** Source of randomness in [0, 1). @defaultValue Math.random */
  readonly random?: () => number;
}

/** When to try again. */
export interface RetryDecision {
  readonly delayMs: number;
  /** Somebody has to act; trying again is unlikely to help. */
  readonly isFatal: boolean;
}

/** Other keys are tried this often in a row; a source that gives bad ones for ever needs somebody. */
const maxRefusals = 5;

/**
 * Delays grow from attempt to attempt until media is confirmed again; merely being let in does not
 * count, so a service that accepts and then fails is not hammered either.
 */
export class RetryPolicy {
  readonly #backoff: Backoff;
  readonly #slowBackoff: Backoff;
  #refusals = 0;

  constructor(options: RetryPolicyOptions = {}) {
    const { minDelayMs = 200, maxDelayMs = 10_000, slowDelayMs = 60_000 } = options;
    const random = options.random ?? Math.random;
    this.#backoff = new Backoff({ minDelayMs, maxDelayMs, random });
    this.#slowBackoff = new Backoff({
      ...{ minDelayMs: slowDelayMs / 12, maxDelayMs: slowDelayMs },
      random,
    });
  }

  /** True after credentials were refused: the next request should not use the same ones. */
  get wantsFreshCredentials(): boolean {
    return this.#refusals > 0;
  }

  /** KVS accepted a request, so the credentials are good. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** KVS confirmed media. */
  progressed(): void {
    this.#backoff.reset();
    this.#slowBackoff.reset();
  }

  /**
   * Decides about the next attempt after a request that failed like this.
   *
   * @param hasOtherKeys - after a refusal: the keys were others than those refused before
   */
  next(
    retry: RetryClass,
    { hasOtherKeys = false }: { readonly hasOtherKeys?: boolean } = {},
  ): RetryDecision {
    if (isRefusal(retry)) this.#refusals += 1;
    const isFatal = retry === 'slow' || (isRefusal(retry) && !this.#mayHelp(retry, hasOtherKeys));
    // Whoever has to mend keys does so elsewhere, and unseen: to ask again soon costs nothing.
    const isSoon = !isFatal || retry === 'credentials';
    const backoff = isSoon ? this.#backoff : this.#slowBackoff;
    return { delayMs: backoff.nextDelayMs(), isFatal };
  }

  /** Whether new credentials may help after this many refusals. */
  #mayHelp(retry: RetryClass, hasOtherKeys: boolean): boolean {
    // The first refusal may be no more than credentials that ran out under way.
    if (this.#refusals === 1) return true;
    // A source may hand out keys that are about to run out, or that AWS does not know everywhere yet.
    return retry === 'credentials' && hasOtherKeys && this.#refusals <= maxRefusals;
  }
}
