/** Tells a Bridge's events, to listeners that may throw and to readers that may be slow. */
import { EventEmitter } from 'node:events';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { EventQueue } from './event-queue.js';
import type { EventStreamOptions, StreamedEvent } from './event-queue.js';
import type { BridgeEvent, BridgeEventName, KvsBridgeEvents } from './events.js';

/**
 * An emitter whose listeners cannot harm it: what one throws, or what its promise rejects with, is
 * told as a `warning`, and the others are called all the same.
 */
export class EventHub extends EventEmitter<KvsBridgeEvents> {
  readonly #subscribers = new Set<(event: BridgeEvent) => void>();
  /** Warnings about listeners that are being told: one that throws there is not told again. */
  #depth = 0;
  /** There will be no more events. */
  #isOver = false;

  override emit<Name>(
    name: Name | BridgeEventName,
    ...args: Name extends BridgeEventName ? KvsBridgeEvents[Name] : never
  ): boolean {
    if (name === 'stopped') this.#isOver = true;
    // A copy: a listener may add others, or take itself away.
    const listeners: readonly unknown[] = this.rawListeners(name);
    const isOwn = typeof name === 'string' && name !== 'newListener' && name !== 'removeListener';
    if (isOwn && this.#subscribers.size > 0) {
      // Each of our events has one argument, of its name's type.
      const event = { name, atMs: Date.now(), data: args[0] } as unknown as BridgeEvent;
      for (const subscriber of [...this.#subscribers]) {
        this.#call(name, () => {
          subscriber(event);
        });
      }
    }
    for (const listener of listeners) {
      if (typeof listener !== 'function') continue;
      this.#call(String(name), () => {
        const result: unknown = Reflect.apply(listener, this, args);
        return result;
      });
    }
    return listeners.length > 0;
  }

  /**
   * Tells every event to one listener, as one value: for what forwards or counts them all.
   *
   * @returns what ends it
   */
  subscribe(listener: (event: BridgeEvent) => void): () => void {
    this.#subscribers.add(listener);
    return () => {
      this.#subscribers.delete(listener);
    };
  }

  /**
   * The events as they come, for a reader that takes its time: `for await (const event of …)`. What
   * waits for it is bounded. What there is no room for is left out and counted: the reader gets a
   * `dropped` in its place, and a `warning` says so. The iteration ends after `stopped`.
   *
   * It begins to collect at once, not at the first read.
   *
   * @example
   * ```ts
   * for await (const { name, data } of bridge.events({ names: ['persisted'] })) {
   *   if (name === 'persisted') await queue.send(data.fragmentNumber);
   * }
   * ```
   *
   * @throws {@link OptionsError} that names the option
   */
  events<Name extends BridgeEventName = BridgeEventName>(
    options: EventStreamOptions<Name> = {},
  ): AsyncIterableIterator<StreamedEvent<Name>, undefined> {
    let unsubscribe = (): void => undefined;
    const queue = new EventQueue<Name>(options, {
      onOverflow: (error) => this.emit('warning', error),
      onClose: () => {
        unsubscribe();
      },
    });
    if (this.#isOver) queue.end();
    if (!queue.isEnded) {
      unsubscribe = this.subscribe((event) => {
        queue.push(event);
      });
    }
    return queue;
  }

  #call(name: string, listener: () => unknown): void {
    try {
      const result = listener();
      if (result instanceof Promise) {
        result.catch((error: unknown) => {
          this.#onThrown(name, error);
        });
      }
    } catch (error) {
      this.#onThrown(name, error);
    }
  }

  #onThrown(name: string, error: unknown): void {
    if (this.#depth > 0 || name === 'warning') return;
    this.#depth += 1;
    const reason = error instanceof Error ? error.message : String(error);
    this.emit(
      'warning',
      new KvsBridgeError(ErrorCode.listener, `A listener of ${name} threw: ${reason}`, {
        fix: 'Catch it in the listener; the recording goes on.',
        cause: error,
      }),
    );
    this.#depth -= 1;
  }
}
