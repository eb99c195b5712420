/** How many uploads of one stream may run at once. */
import { connectionLimit } from '../http/service-error.js';
import { IngestError } from './ingest-error.js';
import type { PutMediaConnection } from './put-media-connection.js';

/**
 * One upload per stream (AWS dev guide, "Service quotas": the newest is refused), but a second one
 * may overlap it for a while, as producers do at every rotation of their credentials. An upload
 * that used up its overlap gets no second one beside it until it ends.
 */
export class ConnectionSlots {
  readonly #overlapMs: number;
  readonly #connections: PutMediaConnection[] = [];
  /** What the oldest connection has left. */
  #leftMs: number;
  #overlapSinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(overlapMs: number) {
    this.#overlapMs = overlapMs;
    this.#leftMs = overlapMs;
  }

  get isEmpty(): boolean {
    return this.#connections.length === 0;
  }

  /** @throws ServiceError ConnectionLimitExceededException */
  check(): void {
    if (this.#connections.length === 0) return;
    if (this.#connections.length === 1 && this.#leftMs > 0) return;
    throw connectionLimit('Another PutMedia connection of this stream is open.');
  }

  /** After {@link check}, in the same turn. */
  add(connection: PutMediaConnection): void {
    this.#connections.push(connection);
    if (this.#connections.length < 2) return;
    this.#overlapSinceMs = performance.now();
    this.#timer = setTimeout(() => {
      this.#leftMs = 0;
      connection.fail(new IngestError(4000, 'The stream has another connection for too long'));
    }, this.#leftMs);
  }

  remove(connection: PutMediaConnection): void {
    const index = this.#connections.indexOf(connection);
    if (index === -1) return;
    this.#connections.splice(index, 1);
    clearTimeout(this.#timer);
    if (this.#overlapSinceMs === undefined) return;
    const usedMs = performance.now() - this.#overlapSinceMs;
    this.#overlapSinceMs = undefined;
    const wasOldest = index === 0;
    this.#leftMs = wasOldest ? this.#overlapMs : Math.max(0, this.#leftMs - usedMs);
  }
}
