/** The fragments that were persisted of late. */
import type { StoredFragment } from '../media/media-session.js';

/** More than are stored in the moments for which a spool keeps what is stored. */
const maxHeard = 256;

/** Knows a fragment again that a session finds stored although its own session had told of it. */
export class HeardFragments {
  readonly #numbers = new Set<string>();

  has({ fragmentNumber }: StoredFragment): boolean {
    return this.#numbers.has(fragmentNumber);
  }

  add({ fragmentNumber }: StoredFragment): void {
    this.#numbers.add(fragmentNumber);
    const [oldest] = this.#numbers;
    if (this.#numbers.size > maxHeard && oldest !== undefined) this.#numbers.delete(oldest);
  }
}
