/** Remembers which keys signed a request and which ones AWS refused. */
import { areSameKeys } from '../aws/credentials.js';
import type { AwsCredentials } from '../aws/credentials.js';
import type { CredentialsProvider } from './connection.js';

/** Watches a {@link CredentialsProvider}, to tell new keys from those that were refused before. */
export class KeysInUse {
  /** Hands out what the watched provider gives. */
  readonly provider: CredentialsProvider;
  #used: AwsCredentials | undefined;
  #refused: AwsCredentials | undefined;

  constructor(provider: CredentialsProvider) {
    this.provider = async (options) => {
      this.#used = await provider(options);
      return this.#used;
    };
  }

  /**
   * AWS refused the keys used last.
   *
   * @returns whether they were others than those refused before: then others may come again
   */
  refuse(): boolean {
    const previous = this.#refused;
    this.#refused = this.#used;
    return (
      this.#used !== undefined && (previous === undefined || !areSameKeys(this.#used, previous))
    );
  }
}
