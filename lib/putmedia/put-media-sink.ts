/** The built-in sink: keeps media until KVS has it, and sends it with one request per epoch. */
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { ErrorCode, PutMediaError } from '../util/errors.js';
import { ackErrorAction, ackErrorFix, ackErrorName } from './ack-errors.js';
import type { ErrorAck, FragmentAck } from './acks.js';
import { Drains } from './drains.js';
import type { Epoch, Fragment } from './fragment.js';
import { FragmentQueue } from './fragment-queue.js';
import { KeysInUse } from './keys-in-use.js';
import type {
  DrainOptions,
  DrainResult,
  DropReason,
  EpochEnd,
  EpochStart,
  FragmentOwner,
  FragmentRef,
  FragmentStart,
  FragmentTotals,
  FragmentWriter,
  MediaSink,
  MediaSinkEvents,
  MediaSinkStats,
  PersistedEvent,
} from './media-sink.js';
import { failureOf, isRefusal } from './put-media-failure.js';
import type { RetryClass } from './put-media-failure.js';
import { checkOptions, createStoredCheck } from './put-media-options.js';
import type { PutMediaSinkOptions } from './put-media-options.js';
import { RetryPolicy } from './retry-policy.js';
import { Settlement } from './settlement.js';
import { SinkSpool } from './sink-spool.js';
import { SinkTotals } from './sink-totals.js';
import type { SpoolStatus } from './spool-status.js';
import { Upload } from './upload.js';
import type { UploadEnd } from './upload.js';
import { UploadPace } from './upload-pace.js';

/**
 * Stores media by PutMedia (AWS dev guide, PutMedia).
 *
 * One request carries one epoch; the next opens as soon as the one before has ended, since KVS takes
 * one connection per stream. Fragments stay in memory, and on disk if there is a spool, until they
 * are PERSISTED. Whatever happens to a connection, the next one begins with the epoch's header and the
 * fragments still held, in order; those that earlier sessions left come first.
 */
export class PutMediaSink
  extends EventEmitter<MediaSinkEvents>
  implements MediaSink, FragmentWriter
{
  readonly #options: PutMediaSinkOptions;
  readonly #queue: FragmentQueue;
  readonly #policy: RetryPolicy;
  readonly #pace: UploadPace | undefined;
  readonly #keys: KeysInUse;
  readonly #totals = new SinkTotals();
  readonly #drains = new Drains(
    () => this.stats(),
    // Waiting is pointless when the next attempt would come too late.
    (deadlineMs) => this.#queue.length === 0 || this.#retryAtMs > deadlineMs,
  );
  readonly #settlement: Settlement;
  readonly #spool: SinkSpool;
  #upload: Upload | undefined;
  /** The current connection came to the point where media may go. */
  #hasConnected = false;
  /** The stream error that KVS reported on the current connection. */
  #streamError: PutMediaError | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  /** When the next attempt follows, on the monotonic clock; 0 while none is awaited. */
  #retryAtMs = 0;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /**
   * Connects when the first fragment begins.
   *
   * @throws {@link OptionsError} when the endpoint is not an http or https URL, or `bufferBytes` not
   * a positive number
   */
  constructor(options: PutMediaSinkOptions) {
    super();
    checkOptions(options);
    this.#options = options;
    this.#policy = new RetryPolicy(options.retry);
    this.#pace = options.quota === undefined ? undefined : new UploadPace(options.quota);
    this.#keys = new KeysInUse(options.credentials);
    this.#queue = new FragmentQueue({
      maxBytes: options.bufferBytes ?? 64 * 1024 * 1024,
      onLost: (fragment, totals, reason) => {
        this.#reportLost(fragment, totals, reason);
      },
    });
    this.#settlement = new Settlement({
      queue: this.#queue,
      check: createStoredCheck(options),
      onStored: (fragment, fragmentNumber) => {
        fragment.fragmentNumber = fragmentNumber;
        this.#confirm(fragment);
      },
      onFailed: (error) => {
        this.emit('failed', { error, fatal: false, retryInMs: undefined });
      },
    });
    this.#spool = new SinkSpool(options.spool, this.#queue, {
      onChange: () => {
        this.#advance();
      },
      onRecovered: () => {
        // They go before what this session receives.
        this.#upload?.rotate();
        this.#settle();
      },
      onLost: ({ timecodeMs, totals, owner }) => {
        this.#emitDropped(timecodeMs, totals, 'incomplete', recoveredFrom(owner));
      },
      onStored: ({ epoch, timecodeMs, fragmentNumber, bytes, totals, owner }) => {
        const fragment = { epoch, timecodeMs, fragmentNumber, bytes, ...totals };
        this.emit('persisted', { ...fragment, persistLatencyMs: 0, ...recoveredFrom(owner) });
      },
    });
    options.spool?.on('warning', (error) => this.emit('warning', error));
    options.spool?.on('state', (status) => this.emit('spool', status));
  }

  /** How the spool is; undefined without one. */
  spoolStatus(): SpoolStatus | undefined {
    return this.#spool.status();
  }

  beginEpoch(start: EpochStart): void {
    if (!this.#isClosed) this.#queue.beginEpoch(start);
  }

  beginFragment(start: FragmentStart): void {
    if (this.#isClosed) return;
    this.#spool.begin(this.#queue.beginFragment(start));
    this.#advance();
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.append(bytes);
    this.#advance();
  }

  endFragment({ durationMs, videoFrames, audioFrames }: FragmentTotals): void {
    if (this.#isClosed) return;
    // Copied: whatever else the caller's object holds must not end up in events.
    const totals = { durationMs, videoFrames, audioFrames };
    this.#totals.produced(totals);
    this.#queue.endFragment(totals, performance.now());
    this.#advance();
  }

  endEpoch(end: EpochEnd): void {
    if (this.#isClosed) return;
    this.#queue.endEpoch(end);
    this.#advance();
  }

  stats(): MediaSinkStats {
    return {
      ...this.#totals.snapshot(),
      ...this.#queue.pendingFrames(),
      fragmentsPending: this.#queue.length,
      bytesPending: this.#queue.bytes,
    };
  }

  drain(options: DrainOptions): Promise<DrainResult> {
    if (!this.#isClosed) {
      this.#queue.seal(performance.now());
      this.#advance();
    }
    return this.#drains.wait(options);
  }

  /** Waits until what is held is on disk too, as far as that goes soon. */
  flush(): Promise<void> {
    return this.#spool.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#settlement.close();
    this.#upload?.destroy(failureOf('The sink was closed', 'Drain it first to keep everything.'));
    this.#queue.seal(performance.now());
    if (this.#options.spool === undefined) this.#queue.clear('closed');
    else await this.#spool.close();
    this.#drains.check();
  }

  /** Does what the state of the queue asks for: feed the upload, or open one. */
  #advance(): void {
    if (this.#isClosed) return;
    if (this.#upload !== undefined) {
      this.#upload.pump();
    } else if (this.#mayOpen) {
      const epoch = this.#queue.nextEpoch();
      if (epoch !== undefined) this.#open(epoch);
    }
  }

  get #mayOpen(): boolean {
    return this.#spool.mayUpload && this.#retryTimer === undefined && !this.#settlement.isRunning;
  }

  #open(epoch: Epoch): void {
    this.emit('connection', { state: 'opening', epoch: epoch.number });
    const connection = {
      ...this.#options,
      credentials: this.#keys.provider,
      credentialsRefused: this.#policy.wantsFreshCredentials,
    };
    const prepare = (fragment: Fragment): void => {
      this.#spool.prepare(fragment);
    };
    const upload = new Upload(epoch, this.#queue, prepare, connection, this.#options, this.#pace);
    this.#upload = upload;
    this.#hasConnected = false;
    this.#streamError = undefined;
    upload.on('ready', () => {
      this.#hasConnected = true;
      // Now that KVS can be reached, so can who knows what it has.
      this.#settlement.run(true, () => {
        upload.start();
        this.#advance();
        this.#drains.check();
      });
    });
    upload.on('accepted', () => {
      this.#policy.accepted();
      this.emit('connection', { state: 'open', epoch: epoch.number });
    });
    upload.on('ack', (ack, fragment) => {
      this.#onAck(ack, fragment);
    });
    upload.on('ackError', (ack, fragment) => {
      this.#onAckError(ack, fragment);
    });
    upload.on('closed', (end) => {
      this.#onUploadClosed(epoch, end);
    });
  }

  #onAck({ type }: FragmentAck, fragment: Fragment): void {
    const { expectPersisted = true } = this.#options;
    if (type !== 'persisted') {
      this.emit(type, refOf(fragment));
      if (type === 'buffering' || expectPersisted) return;
      this.#policy.progressed();
      this.#queue.release(fragment);
      this.#drains.check();
      return;
    }
    this.#policy.progressed();
    this.#confirm(fragment);
  }

  /** KVS has the fragment for good. */
  #confirm(fragment: Fragment): void {
    const { totals, isGone, bytes, completedAtMs, epoch } = fragment;
    if (isGone || totals === undefined) return;
    this.#queue.release(fragment, fragment.fragmentNumber);
    if (epoch.isRecovered) this.#totals.recovered(totals);
    else this.#totals.persisted(fragment, totals);
    this.emit('persisted', {
      ...refOf(fragment),
      ...totals,
      bytes,
      persistLatencyMs: performance.now() - completedAtMs,
      ...originOf(fragment),
    });
    this.#drains.check();
  }

  #onAckError({ errorId }: ErrorAck, fragment: Fragment | undefined): void {
    const action = ackErrorAction(errorId);
    const errorName = ackErrorName(errorId);
    this.emit('ackError', { errorId, errorName, timecodeMs: fragment?.timecodeMs, action });
    if (action === 'skipFragment' && fragment !== undefined) this.#queue.drop(fragment, 'refused');
    if (action !== 'slowRetry') return;
    this.#streamError = new PutMediaError(
      ErrorCode.putMedia,
      `KVS refuses media for the stream "${this.#options.streamName}" (${errorName}, ${String(errorId)})`,
      { fix: ackErrorFix(errorId) },
    );
  }

  #onUploadClosed(epoch: Epoch, end: UploadEnd): void {
    this.#upload = undefined;
    this.#queue.rewind(epoch);
    this.emit('connection', { state: 'closed', epoch: epoch.number, reason: end.reason });
    if (this.#isClosed) return;
    if (!end.isPlanned) this.#scheduleRetry(end);
    // What never left was never stored; what is in doubt from before waits for a better moment.
    if (this.#hasConnected) this.#settle();
    this.#advance();
  }

  /** Finds out what KVS has of what is in doubt, before any of it is sent again. */
  #settle(): void {
    if (this.#settlement.isRunning) return;
    const isLast = this.#queue.nextEpoch() === undefined;
    this.#settlement.run(isLast, () => {
      this.#advance();
      this.#drains.check();
    });
  }

  #scheduleRetry({ failure }: UploadEnd): void {
    const streamError = this.#streamError;
    const retry: RetryClass = streamError === undefined ? (failure?.retry ?? 'backoff') : 'slow';
    const hasOtherKeys = isRefusal(retry) && this.#keys.refuse();
    const { delayMs, isFatal } = this.#policy.next(retry, { hasOtherKeys });
    this.#retryAtMs = performance.now() + delayMs;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#retryAtMs = 0;
      this.#advance();
    }, delayMs);
    const error = streamError ?? failure?.error;
    if (error !== undefined) {
      this.emit('failed', { error, fatal: isFatal, retryInMs: Math.round(delayMs) });
    }
    this.#drains.check();
  }

  #reportLost(fragment: Fragment, totals: FragmentTotals, reason: DropReason): void {
    if (!fragment.epoch.isRecovered) this.#totals.lost(totals);
    this.#emitDropped(fragment.timecodeMs, totals, reason, originOf(fragment));
    this.#drains.check();
  }

  #emitDropped(
    timecodeMs: number,
    { videoFrames, audioFrames, durationMs }: FragmentTotals,
    reason: DropReason,
    origin: Origin,
  ): void {
    this.emit('dropped', {
      fragments: 1,
      videoFrames,
      audioFrames,
      fromTimecodeMs: timecodeMs,
      toTimecodeMs: timecodeMs + durationMs,
      reason,
      ...origin,
    });
  }
}

/** Says that an earlier session received it; empty for what this one did. */
type Origin = Pick<PersistedEvent, 'owner' | 'recovered'>;

function originOf({ epoch, owner }: Fragment): Origin {
  return epoch.isRecovered ? recoveredFrom(owner) : {};
}

function recoveredFrom(owner: FragmentOwner | undefined): Origin {
  return { recovered: true, ...(owner === undefined ? {} : { owner }) };
}

function refOf({ epoch, timecodeMs, fragmentNumber }: Fragment): FragmentRef {
  return { epoch: epoch.number, timecodeMs, fragmentNumber };
}
