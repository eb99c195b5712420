/** Keeps a media session in credentials that AWS accepts, for as long as it runs. */
import { areSameKeys } from '../aws/credentials.js';
import type { AwsCredentials, CredentialsSource } from '../aws/credentials.js';
import type { MediaSession } from '../media/media-session.js';
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';

/** How often credentials are checked for having been rotated, in ms. */
const checkIntervalMs = 60_000;

/** How soon, and how rarely at most, others are asked for after a refusal, in ms. */
const renewal = { minDelayMs: 500, maxDelayMs: 10_000 } as const;

/** Options of {@link CredentialsKeeper}. */
export interface CredentialsKeeperOptions {
  readonly source: CredentialsSource;
  readonly media: MediaSession;
  /** Told of each time that the source has none; it is asked again. */
  readonly onFailure: (error: KvsBridgeError) => void;
}

/**
 * Hands in what the source has: at first, when it was rotated, and after a refusal as soon as there
 * is something to try. It never gives up: media waits in the meantime.
 */
export class CredentialsKeeper {
  readonly #options: CredentialsKeeperOptions;
  readonly #ended = new AbortController();
  readonly #backoff = new Backoff(renewal);
  #given: AwsCredentials | undefined;
  #check: NodeJS.Timeout | undefined;
  #isRenewing = false;

  constructor(options: CredentialsKeeperOptions) {
    this.#options = options;
    options.media.on('credentialsRefused', () => void this.#renew());
    options.media.once('closed', () => {
      clearInterval(this.#check);
      this.#ended.abort();
    });
  }

  /**
   * Hands in the first ones.
   *
   * @throws {@link AwsError} when there are none; the abort reason when aborted
   */
  async begin(signal: AbortSignal): Promise<void> {
    this.#give(await this.#options.source.get({ signal }));
    if (this.#ended.signal.aborted) return;
    this.#check = setInterval(() => void this.#keepUp(), checkIntervalMs);
  }

  async #keepUp(): Promise<void> {
    if (this.#isRenewing) return;
    try {
      const keys = await this.#options.source.get({ signal: this.#ended.signal });
      if (!this.#isGiven(keys)) this.#give(keys);
    } catch (error) {
      this.#report(error);
    }
  }

  /** Until there are others, or it is time to try the same again: AWS may take them by then. */
  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const { source } = this.#options;
    const { signal } = this.#ended;
    try {
      for (let hasWaited = false; ; hasWaited = true) {
        source.invalidate();
        const keys = await source.get({ signal }).catch((error: unknown) => {
          this.#report(error);
          return undefined;
        });
        if (keys !== undefined && !this.#isGiven(keys)) this.#backoff.reset();
        else if (keys === undefined || !hasWaited) {
          await sleep(this.#backoff.nextDelayMs(), signal);
          continue;
        }
        this.#give(keys);
        return;
      }
    } catch (error) {
      if (!signal.aborted) this.#report(error);
    } finally {
      this.#isRenewing = false;
    }
  }

  #isGiven(keys: AwsCredentials): boolean {
    return this.#given !== undefined && areSameKeys(keys, this.#given);
  }

  #give(keys: AwsCredentials): void {
    this.#given = keys;
    this.#options.media.setCredentials(keys);
  }

  #report(error: unknown): void {
    if (!this.#ended.signal.aborted) this.#options.onFailure(asKvsBridgeError(error));
  }
}
