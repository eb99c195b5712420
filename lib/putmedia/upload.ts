/** One request's worth of an epoch: feeds a connection and matches what comes back. */
import { EventEmitter } from 'node:events';
import type { Ack, ErrorAck, FragmentAck } from './acks.js';
import { PutMediaConnection } from './connection.js';
import type { PutMediaConnectionOptions } from './connection.js';
import { EpochFeed } from './epoch-feed.js';
import type { Epoch, Fragment } from './fragment.js';
import type { FragmentQueue } from './fragment-queue.js';
import { failureOf } from './put-media-failure.js';
import type { PutMediaFailure } from './put-media-failure.js';
import type { UploadPace } from './upload-pace.js';

/** Deadlines of an {@link Upload}. */
export interface UploadOptions {
  /**
   * Longest wait for an acknowledgement that is due, in ms. Long, because what a service that stood
   * still reads afterwards from the connection that was given up is then stored twice.
   *
   * @defaultValue 30000
   */
  readonly stallTimeoutMs?: number;
  /** How long without a new fragment until the request is ended, in ms. @defaultValue 5000 */
  readonly idleTimeoutMs?: number;
  /**
   * Age at which the request is ended at the next fragment, in ms; KVS ends it after 45 minutes.
   *
   * @defaultValue 2400000
   */
  readonly maxAgeMs?: number;
  /**
   * How long before its credentials run out the request is ended at the next fragment, in ms: what
   * is on its way must still get through.
   *
   * @defaultValue 60000
   */
  readonly expiryMarginMs?: number;
}

/** How an upload ended. */
export interface UploadEnd {
  /** In a few words, for people. */
  readonly reason: string;
  /** We ended the request, and everything sent is confirmed: the next may follow at once. */
  readonly isPlanned: boolean;
  readonly failure: PutMediaFailure | undefined;
}

/** Events of an {@link Upload}. */
export interface UploadEvents {
  /** Media may go: call {@link Upload.start}. */
  ready: [];
  /** KVS accepted the request. */
  accepted: [];
  /** Progress of a fragment that was sent here and is still held. */
  ack: [FragmentAck, Fragment];
  /** An error, and the fragment it is about as far as that can be told. Nothing more is sent. */
  ackError: [ErrorAck, Fragment | undefined];
  /** Always the last event. */
  closed: [UploadEnd];
}

/** A fragment that was begun on this connection. */
interface SentFragment {
  readonly fragment: Fragment;
  isBuffered: boolean;
  isReceived: boolean;
}

/** How long KVS gets to end its answer when nothing more is expected of it. */
const closeGraceMs = 1_000;
/** How long KVS gets to end its answer after an ERROR; until then it may confirm earlier media. */
const errorGraceMs = 2_000;

/**
 * Sends an epoch's header and held fragments over one connection, live ones as they grow, and ends
 * the request where the epoch ends, where the source pauses, or between two fragments when the
 * request or its credentials get old.
 */
export class Upload extends EventEmitter<UploadEvents> {
  readonly epoch: Epoch;
  readonly #connection: PutMediaConnection;
  readonly #feed: EpochFeed;
  readonly #options: Required<UploadOptions>;
  readonly #pace: UploadPace | undefined;
  /** By timecode, which is unique within an epoch. */
  readonly #sent = new Map<number, SentFragment>();
  #state: 'closed' | 'ending' | 'erred' | 'opening' | 'sending' = 'opening';
  #endReason: string | undefined;
  /** It was we who broke the connection. */
  #isGivenUp = false;
  #endAtMs = Infinity;
  #stallTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #paceTimer: NodeJS.Timeout | undefined;

  /**
   * Connects at once.
   *
   * @param prepare - makes a fragment ready that is next; {@link pump} is to be called afterwards
   * @param pace - of all uploads to the stream, if they are to keep one
   */
  constructor(
    epoch: Epoch,
    queue: FragmentQueue,
    prepare: (fragment: Fragment) => void,
    connection: PutMediaConnectionOptions,
    options: UploadOptions = {},
    pace?: UploadPace,
  ) {
    super();
    this.#pace = pace;
    const {
      stallTimeoutMs = 30_000,
      idleTimeoutMs = 5_000,
      maxAgeMs = 2_400_000,
      expiryMarginMs = 60_000,
    } = options;
    this.epoch = epoch;
    this.#options = { stallTimeoutMs, idleTimeoutMs, maxAgeMs, expiryMarginMs };
    this.#feed = new EpochFeed(epoch, queue, {
      onBegin: (fragment) => {
        pace?.onFragment(performance.now());
        this.#sent.set(fragment.timecodeMs, { fragment, isBuffered: false, isReceived: false });
      },
      prepare,
    });
    this.#connection = new PutMediaConnection(connection)
      .on('ready', () => this.emit('ready'))
      .on('accepted', () => this.emit('accepted'))
      .on('ack', (ack) => {
        this.#onAck(ack);
      })
      .on('drain', () => {
        this.#stopStallTimer();
        this.pump();
      })
      .on('closed', ({ failure }) => {
        this.#close(failure);
      });
  }

  /** Lets media go; to be called once, after `ready`. */
  start(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'sending';
    const nowMs = Date.now();
    const { maxAgeMs, expiryMarginMs } = this.#options;
    // Not sooner, so that credentials near their end do not become a storm of requests.
    const expiryMs = Math.max(this.#connection.expiresAtMs, nowMs + 2 * expiryMarginMs);
    this.#endAtMs = Math.min(this.#endAtMs, nowMs + maxAgeMs, expiryMs - expiryMarginMs);
    this.pump();
  }

  /** Sends what there is, as far as the socket takes it. To be called when the queue changed. */
  pump(): void {
    this.#feed.settle();
    while (this.#state === 'sending' && this.#connection.canWrite && !this.#endIfDue()) {
      if (this.#isTooSoon()) break;
      const bytes = this.#feed.next();
      if (bytes === undefined) break;
      this.#connection.write(bytes);
      this.#pace?.onBytes(bytes.length, performance.now());
    }
    if (this.#state === 'sending' && this.#feed.isBroken) {
      this.destroy(
        failureOf(
          'A fragment on its way was given up, because it alone filled the buffer',
          'Raise the buffer size, or lower the bitrate or the time between keyframes.',
        ),
      );
      return;
    }
    this.#endIfDue();
    this.#watch();
  }

  /** Whether the pace forbids to go on; it is gone on when it does no longer. */
  #isTooSoon(): boolean {
    const { isAtBoundary, isExhausted } = this.#feed;
    if (this.#pace === undefined || isExhausted) return false;
    const waitMs = this.#pace.waitMs(performance.now(), isAtBoundary);
    if (waitMs === 0) return false;
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      this.pump();
    }, Math.ceil(waitMs));
    return true;
  }

  /** Ends the request at the next boundary between fragments: something else is to be sent first. */
  rotate(): void {
    this.#endAtMs = 0;
    this.pump();
  }

  /** Breaks the connection at once. */
  destroy(failure?: PutMediaFailure): void {
    this.#isGivenUp = true;
    this.#connection.destroy(failure);
  }

  /** Ends the request where that is due and possible. */
  #endIfDue(): boolean {
    if (this.#state !== 'sending' || !this.#feed.isAtBoundary) return this.#state !== 'sending';
    const { trailer } = this.epoch;
    if (trailer !== undefined && this.#feed.isExhausted) {
      this.#end('the epoch ended', trailer);
    } else if (this.#feed.hasBegun && Date.now() >= this.#endAtMs) {
      this.#end('rotated');
    }
    return this.#endReason !== undefined;
  }

  #end(reason: string, trailer?: Uint8Array): void {
    this.#state = 'ending';
    this.#endReason = reason;
    if (this.#feed.hasBegun) this.#connection.end(trailer);
    else this.#connection.destroy();
  }

  #onAck(ack: Ack): void {
    if (ack.type === 'error') {
      this.#onError(ack);
      return;
    }
    if (ack.type === 'idle' || ack.type === 'ignored') return;
    const sent = this.#sent.get(ack.timecodeMs);
    if (sent === undefined) return;
    this.#stopStallTimer();
    this.#noteAck(sent, ack);
    this.pump();
  }

  #noteAck(sent: SentFragment, ack: FragmentAck): void {
    const { fragment } = sent;
    // KVS cannot have the end of what has not been sent to its end.
    if (ack.type !== 'buffering' && fragment.progress !== 'sent') return;
    const isNews =
      ack.type === 'persisted' || !(ack.type === 'received' ? sent.isReceived : sent.isBuffered);
    sent.isBuffered = true;
    if (ack.type !== 'buffering') sent.isReceived = true;
    fragment.fragmentNumber = ack.fragmentNumber ?? fragment.fragmentNumber;
    if (isNews && !fragment.isGone) this.emit('ack', ack, fragment);
  }

  #onError(ack: ErrorAck): void {
    if (this.#state === 'erred' || this.#state === 'closed') return;
    this.#state = 'erred';
    this.#clearTimers();
    this.#graceTimer = setTimeout(() => {
      this.destroy();
    }, errorGraceMs);
    this.emit('ackError', ack, this.#findErred(ack));
  }

  /** The fragment named, else the first that KVS had not received: it reads in order. */
  #findErred({ timecodeMs }: ErrorAck): Fragment | undefined {
    const named = timecodeMs === undefined ? undefined : this.#sent.get(timecodeMs);
    if (named !== undefined) return named.fragment;
    for (const { fragment, isReceived } of this.#sent.values()) {
      if (!isReceived && !fragment.isGone) return fragment;
    }
    return undefined;
  }

  /** Arms and disarms the timers by what is awaited. */
  #watch(): void {
    if (this.#state !== 'sending' && this.#state !== 'ending') return;
    if (this.#isConfirmed() && this.#state === 'ending') {
      this.#stopStallTimer();
      this.#graceTimer ??= setTimeout(() => {
        this.destroy();
      }, closeGraceMs);
      return;
    }
    if (!this.#isAckDue()) this.#stopStallTimer();
    else this.#stallTimer ??= setTimeout(this.#onStall, this.#options.stallTimeoutMs);
    if (this.#state === 'sending' && this.#feed.hasBegun && this.#feed.isExhausted) {
      this.#idleTimer ??= setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
    } else {
      this.#stopIdleTimer();
    }
  }

  /** True when KVS owes us a sign of life. */
  #isAckDue(): boolean {
    if (this.#connection.isBlocked || this.#state === 'ending') return true;
    let isFollowed = false;
    for (const { fragment, isBuffered, isReceived } of [...this.#sent.values()].reverse()) {
      if (!fragment.isGone && !isBuffered) return true;
      // The end of a fragment shows only by what follows it.
      if (!fragment.isGone && isFollowed && !isReceived) return true;
      isFollowed = true;
    }
    return false;
  }

  /** Forgets what is settled; true when nothing is left. */
  #isConfirmed(): boolean {
    for (const [timecodeMs, { fragment }] of this.#sent) {
      if (fragment.isGone) this.#sent.delete(timecodeMs);
    }
    return this.#sent.size === 0;
  }

  readonly #onStall = (): void => {
    this.destroy(
      failureOf(
        `KVS did not acknowledge media for ${String(this.#options.stallTimeoutMs)} ms`,
        'Check the network if it happens often; media is kept and sent again.',
      ),
    );
  };

  readonly #onIdle = (): void => {
    // Only the end of the request shows KVS that the last fragment is complete.
    this.#end('the source paused');
    this.#watch();
  };

  #close(connectionFailure: PutMediaFailure | undefined): void {
    if (this.#state === 'closed') return;
    const hasErred = this.#state === 'erred';
    this.#state = 'closed';
    this.#clearTimers();
    const isConfirmed = this.#isConfirmed();
    // What a network swallowed says nothing about the fragment.
    if (connectionFailure === undefined || this.#isGivenUp) this.#countUnpersisted();
    const failure =
      hasErred || (isConfirmed && this.#endReason !== undefined)
        ? undefined
        : (connectionFailure ?? (isConfirmed ? undefined : unconfirmed(this.#sent.size)));
    this.emit('closed', {
      reason:
        failure?.error.message ??
        (hasErred ? 'KVS reported an error' : (this.#endReason ?? 'KVS ended it')),
      isPlanned: isConfirmed && !hasErred && this.#endReason !== undefined,
      failure,
    });
  }

  /** KVS had the time to persist these, and did not. */
  #countUnpersisted(): void {
    for (const { fragment, isReceived } of this.#sent.values()) {
      if (isReceived && !fragment.isGone) fragment.timesReceived += 1;
    }
  }

  #clearTimers(): void {
    this.#stopStallTimer();
    this.#stopIdleTimer();
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#paceTimer);
  }

  #stopStallTimer(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
  }

  #stopIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }
}

function unconfirmed(fragments: number): PutMediaFailure {
  return failureOf(
    `KVS ended PutMedia before it confirmed ${String(fragments)} fragment(s)`,
    'Nothing to do if it happens rarely; media is kept and sent again.',
  );
}
