/** A bounded queue of events for one reader that may be slower than they come. */
import * as v from 'valibot';
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { parseOptions, rules } from '../util/options.js';
import { bridgeEventNames } from './events.js';
import type { BridgeEvent, BridgeEventName, DroppedEvents } from './events.js';

/** What happens to an event for which there is no room. */
export const Overflow = {
  /** The oldest that waits makes room. */
  dropOldest: 'dropOldest',
  /** It is left out itself. */
  dropNewest: 'dropNewest',
  /** The iteration ends with an error of code `KVSB_EVENTS_DROPPED`, after what waits. */
  fail: 'fail',
} as const;

/** One of {@link Overflow}. */
export type Overflow = (typeof Overflow)[keyof typeof Overflow];

/** Options of {@link KvsBridge.events}. */
export interface EventStreamOptions<Name extends BridgeEventName = BridgeEventName> {
  /** Which events. @defaultValue all */
  readonly names?: readonly Name[];
  /** Most that wait for their reader, 1 to 1000000. @defaultValue 1000 */
  readonly capacity?: number;
  /** What happens when there are more. @defaultValue 'dropOldest' */
  readonly overflow?: Overflow;
  /** Ends the iteration; it does not throw. */
  readonly signal?: AbortSignal;
}

const schema = v.object({
  names: v.exactOptional(
    v.array(
      v.picklist(
        bridgeEventNames,
        ({ received }) => `must be one of ${bridgeEventNames.join(', ')}, not ${received}`,
      ),
      'must list names of events',
    ),
  ),
  capacity: v.exactOptional(rules.whole(1, 1_000_000), 1_000),
  overflow: v.exactOptional(
    v.picklist(Object.values(Overflow), 'must be dropOldest, dropNewest or fail'),
    Overflow.dropOldest,
  ),
  signal: v.exactOptional(v.instance(AbortSignal, 'must be an AbortSignal')),
});

/** What a reader gets: the events it asked for, and how many it missed, where it did. */
export type StreamedEvent<Name extends BridgeEventName> =
  Extract<BridgeEvent, { readonly name: Name }> | DroppedEvents;

/** What the queue tells besides. */
export interface EventQueueHooks {
  /** Events are being left out; told again only after a minute. */
  readonly onOverflow: (error: KvsBridgeError) => void;
  /** Nothing more is to be pushed. */
  readonly onClose: () => void;
}

/** A reader that is always too slow is one warning a minute, in ms. */
const warnIntervalMs = 60_000;

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** One reader's events: never more in memory than `capacity`, none lost without a word. */
export class EventQueue<Name extends BridgeEventName> implements AsyncIterableIterator<
  StreamedEvent<Name>,
  undefined
> {
  readonly #names: ReadonlySet<string> | undefined;
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #hooks: EventQueueHooks;
  readonly #signal: AbortSignal | undefined;
  readonly #readers: Reader<StreamedEvent<Name>>[] = [];
  readonly #onAbort = (): void => {
    this.#finish();
  };
  /** In order; a `dropped` stands where others are missing. */
  #waiting: StreamedEvent<Name>[] = [];
  #size = 0;
  #isEnded = false;
  #error: KvsBridgeError | undefined;
  #warnedAtMs = -Infinity;

  /** @throws {@link OptionsError} that names the option */
  constructor(options: EventStreamOptions<Name>, hooks: EventQueueHooks) {
    const { names, capacity, overflow, signal } = parseOptions(schema, options);
    this.#names = names === undefined ? undefined : new Set(names);
    this.#capacity = capacity;
    this.#overflow = overflow;
    this.#hooks = hooks;
    this.#signal = signal;
    if (signal?.aborted === true) this.#finish();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Nothing more is taken. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** An event happened. The last one is `stopped`. */
  push(event: BridgeEvent): void {
    if (this.#isEnded) return;
    if (this.#wants(event)) this.#add(event);
    if (event.name === 'stopped') this.end();
  }

  /** Nothing comes any more; what waits is still read. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const { resolve, reject } of this.#readers.splice(0)) this.#last().then(resolve, reject);
    this.#hooks.onClose();
  }

  next(): Promise<IteratorResult<StreamedEvent<Name>, undefined>> {
    const value = this.#waiting.shift();
    if (value !== undefined) {
      if (value.name !== 'dropped') this.#size -= 1;
      return Promise.resolve({ done: false, value });
    }
    if (this.#isEnded) return this.#last();
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  /** The reader left its loop. */
  return(): Promise<IteratorResult<StreamedEvent<Name>, undefined>> {
    this.#error = undefined;
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wants(event: BridgeEvent): event is Extract<BridgeEvent, { readonly name: Name }> {
    return this.#names === undefined || this.#names.has(event.name);
  }

  #add(event: Extract<BridgeEvent, { readonly name: Name }>): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: event });
      return;
    }
    if (this.#size < this.#capacity) {
      this.#size += 1;
      this.#waiting.push(event);
      return;
    }
    switch (this.#overflow) {
      case Overflow.dropOldest:
        this.#dropOldest();
        this.#waiting.push(event);
        break;
      case Overflow.dropNewest:
        this.#mark(this.#waiting.length, event.atMs);
        break;
      case Overflow.fail:
        this.#error = tooSlow(this.#capacity);
        this.end();
        break;
    }
    // Last: it is told as an event, which may come back here.
    if (performance.now() - this.#warnedAtMs < warnIntervalMs) return;
    this.#warnedAtMs = performance.now();
    this.#hooks.onOverflow(tooSlow(this.#capacity));
  }

  #dropOldest(): void {
    const at = this.#waiting[0]?.name === 'dropped' ? 1 : 0;
    const [oldest] = this.#waiting.splice(at, 1);
    this.#mark(at, oldest?.atMs ?? Date.now());
  }

  /** Counts one that is missing before the place `at`. */
  #mark(at: number, atMs: number): void {
    const before = this.#waiting[at - 1];
    if (before !== undefined && isDropped(before)) {
      const events = before.data.events + 1;
      this.#waiting[at - 1] = { ...before, data: { events } };
    } else {
      this.#waiting.splice(at, 0, { name: 'dropped', atMs, data: { events: 1 } });
    }
  }

  #last(): Promise<IteratorReturnResult<undefined>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error);
  }

  /** Nobody reads any more, not even what waits. */
  #finish(): void {
    this.#waiting = [];
    this.end();
  }
}

function isDropped(event: BridgeEvent | DroppedEvents): event is DroppedEvents {
  return event.name === 'dropped';
}

function tooSlow(capacity: number): KvsBridgeError {
  return new KvsBridgeError(
    ErrorCode.eventsDropped,
    `Somebody reads the events more slowly than they come: ${String(capacity)} waited, and there was no room`,
    { fix: 'Read them faster, ask for fewer by name, or raise capacity.' },
  );
}
