/** The built-in sink: keeps media until KVS has it, and sends it with one request per epoch. */
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { abortable } from '../util/abort.js';
import { ErrorCode, OptionsError, PutMediaError } from '../util/errors.js';
import { ackErrorAction, ackErrorFix, ackErrorName } from './ack-errors.js';
import type { ErrorAck, FragmentAck } from './acks.js';
import type { PutMediaConnectionOptions } from './connection.js';
import { FragmentQueue } from './fragment-queue.js';
import type { Epoch, Fragment } from './fragment-queue.js';
import { KeysInUse } from './keys-in-use.js';
import type {
  DrainOptions,
  DrainResult,
  DropReason,
  EpochEnd,
  EpochStart,
  FragmentRef,
  FragmentStart,
  FragmentTotals,
  FragmentWriter,
  MediaSink,
  MediaSinkEvents,
  MediaSinkStats,
} from './media-sink.js';
import { failureOf, isRefusal } from './put-media-failure.js';
import type { RetryClass } from './put-media-failure.js';
import { RetryPolicy } from './retry-policy.js';
import type { RetryPolicyOptions } from './retry-policy.js';
import { SinkTotals } from './sink-totals.js';
import { StoredCheck } from './stored-check.js';
import type { PersistedLookup, StoredCheckResult } from './stored-check.js';
import { Upload } from './upload.js';
import type { UploadEnd, UploadOptions } from './upload.js';

/** Options of {@link PutMediaSink}. */
export interface PutMediaSinkOptions
  extends Omit<PutMediaConnectionOptions, 'credentialsRefused'>, UploadOptions {
  /** Most memory for media that is not persisted yet, in bytes. @defaultValue 67108864 (64 MiB) */
  readonly bufferBytes?: number;
  /**
   * Whether the stream keeps data. With retention 0 KVS never sends PERSISTED: then false makes
   * RECEIVED release a fragment, and none is ever reported as persisted.
   *
   * @defaultValue true
   */
  readonly expectPersisted?: boolean;
  /**
   * Asked before fragments are sent again that KVS may have stored although the connection broke
   * before it said so. Without it they are sent again, and may then be in the archive twice: at
   * least once instead of exactly once. The same holds when it fails; when it is forbidden
   * (`KVSB_ACCESS_DENIED`) that is reported once, and it is not asked again.
   */
  readonly isPersisted?: PersistedLookup;
  /** Longest wait for one answer of {@link isPersisted}, in ms. @defaultValue 5000 */
  readonly isPersistedTimeoutMs?: number;
  /**
   * How long {@link isPersisted} is asked again about what it does not know, in ms.
   *
   * @defaultValue 3000
   */
  readonly settleMs?: number;
  readonly retry?: RetryPolicyOptions;
}

/** A fragment that KVS received this often without ever persisting it is given up. */
const maxTimesReceived = 3;

/**
 * Stores media by PutMedia (AWS dev guide, PutMedia).
 *
 * One request carries one epoch; the next opens as soon as the one before has ended, since KVS takes
 * one connection per stream. Fragments stay in memory until they are PERSISTED. Whatever happens to
 * a connection, the next one begins with the epoch's header and the fragments still held, in order.
 */
export class PutMediaSink
  extends EventEmitter<MediaSinkEvents>
  implements MediaSink, FragmentWriter
{
  readonly #options: PutMediaSinkOptions;
  readonly #queue: FragmentQueue;
  readonly #policy: RetryPolicy;
  readonly #keys: KeysInUse;
  readonly #totals = new SinkTotals();
  readonly #drainChecks = new Set<() => void>();
  readonly #storedCheck: StoredCheck | undefined;
  /** Set while it is being found out what KVS has stored; nothing is sent meanwhile. */
  #settling: AbortController | undefined;
  #upload: Upload | undefined;
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
    this.#keys = new KeysInUse(options.credentials);
    this.#storedCheck = createStoredCheck(options);
    this.#queue = new FragmentQueue({
      maxBytes: options.bufferBytes ?? 64 * 1024 * 1024,
      onLost: (fragment, totals, reason) => {
        this.#reportLost(fragment, totals, reason);
      },
    });
  }

  beginEpoch(start: EpochStart): void {
    if (!this.#isClosed) this.#queue.beginEpoch(start);
  }

  beginFragment(start: FragmentStart): void {
    if (this.#isClosed) return;
    this.#queue.beginFragment(start);
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

  drain({ timeoutMs, signal }: DrainOptions): Promise<DrainResult> {
    if (!this.#isClosed) {
      this.#queue.seal(performance.now());
      this.#advance();
    }
    const deadlineMs = performance.now() + timeoutMs;
    return abortable((resolve) => {
      const finish = (): void => {
        const { fragmentsPersisted, fragmentsLost, fragmentsPending, lastPersistedTimecodeMs } =
          this.stats();
        resolve({
          persistedFragments: fragmentsPersisted,
          lostFragments: fragmentsLost,
          pendingFragments: fragmentsPending,
          lastPersistedTimecodeMs,
        });
      };
      const check = (): void => {
        // Waiting is pointless when the next attempt would come too late.
        if (this.#queue.length === 0 || this.#retryAtMs > deadlineMs) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#drainChecks.add(check);
      check();
      return () => {
        clearTimeout(timer);
        this.#drainChecks.delete(check);
      };
    }, signal);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.resolve();
    if (this.#isClosed) return this.#closing;
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#settling?.abort();
    this.#upload?.destroy(failureOf('The sink was closed', 'Drain it first to keep everything.'));
    this.#queue.seal(performance.now());
    this.#queue.clear('closed');
    this.#checkDrains();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Does what the state of the queue asks for: feed the upload, or open one. */
  #advance(): void {
    if (this.#isClosed) return;
    if (this.#upload !== undefined) {
      this.#upload.pump();
    } else if (this.#retryTimer === undefined && this.#settling === undefined) {
      const epoch = this.#queue.nextEpoch();
      if (epoch !== undefined) this.#open(epoch);
    }
  }

  #open(epoch: Epoch): void {
    this.emit('connection', { state: 'opening', epoch: epoch.number });
    const connection = {
      ...this.#options,
      credentials: this.#keys.provider,
      credentialsRefused: this.#policy.wantsFreshCredentials,
    };
    const upload = new Upload(epoch, this.#queue, connection, this.#options);
    this.#upload = upload;
    this.#streamError = undefined;
    upload.on('ready', () => {
      upload.start();
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
      this.#checkDrains();
      return;
    }
    this.#policy.progressed();
    this.#confirm(fragment);
  }

  /** KVS has the fragment for good. */
  #confirm(fragment: Fragment): void {
    const { totals, isGone, bytes, completedAtMs } = fragment;
    if (isGone || totals === undefined) return;
    this.#queue.release(fragment);
    this.#totals.persisted(fragment, totals);
    const persistLatencyMs = performance.now() - completedAtMs;
    this.emit('persisted', { ...refOf(fragment), ...totals, bytes, persistLatencyMs });
    this.#checkDrains();
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
    this.#settle(epoch);
    this.#advance();
  }

  /** Finds out what KVS has of an epoch whose connection broke, before any of it is sent again. */
  #settle(epoch: Epoch): void {
    const doubtful = epoch.fragments.filter(({ mayBeStored }) => mayBeStored);
    const check = this.#storedCheck;
    if (doubtful.length === 0 || check?.canAsk !== true) {
      this.#giveUpHopeless(epoch);
      return;
    }
    const settling = new AbortController();
    this.#settling = settling;
    const onStored = (fragment: Fragment, fragmentNumber: string): void => {
      fragment.fragmentNumber = fragmentNumber;
      this.#confirm(fragment);
    };
    const onDone = ({ error }: StoredCheckResult): void => {
      this.#settling = undefined;
      this.#giveUpHopeless(epoch);
      if (error !== undefined) {
        this.emit('failed', { error, fatal: false, retryInMs: undefined });
      }
      this.#advance();
      this.#checkDrains();
    };
    // Rejects only when the sink is closed, which settles everything.
    check.run(doubtful, onStored, settling.signal).then(onDone, () => undefined);
  }

  /** After all that can be known of them is known. */
  #giveUpHopeless(epoch: Epoch): void {
    this.#queue.settle(epoch);
    for (const fragment of [...epoch.fragments]) {
      if (fragment.timesReceived >= maxTimesReceived) this.#queue.drop(fragment, 'neverPersisted');
    }
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
    this.#checkDrains();
  }

  #reportLost(fragment: Fragment, totals: FragmentTotals, reason: DropReason): void {
    const { timecodeMs } = fragment;
    const { videoFrames, audioFrames, durationMs } = totals;
    this.#totals.lost(totals);
    this.emit('dropped', {
      fragments: 1,
      videoFrames,
      audioFrames,
      fromTimecodeMs: timecodeMs,
      toTimecodeMs: timecodeMs + durationMs,
      reason,
    });
    this.#checkDrains();
  }

  #checkDrains(): void {
    for (const check of [...this.#drainChecks]) check();
  }
}

function refOf({ epoch, timecodeMs, fragmentNumber }: Fragment): FragmentRef {
  return { epoch: epoch.number, timecodeMs, fragmentNumber };
}

function createStoredCheck({
  isPersisted,
  isPersistedTimeoutMs,
  settleMs,
}: PutMediaSinkOptions): StoredCheck | undefined {
  if (isPersisted === undefined) return undefined;
  return new StoredCheck({
    lookUp: isPersisted,
    ...(isPersistedTimeoutMs === undefined ? {} : { timeoutMs: isPersistedTimeoutMs }),
    ...(settleMs === undefined ? {} : { settleMs }),
  });
}

function checkOptions({ endpoint, bufferBytes }: PutMediaSinkOptions): void {
  const protocol = URL.canParse(endpoint) ? new URL(endpoint).protocol : undefined;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new OptionsError('endpoint', 'The PutMedia endpoint is not an http or https URL', {
      fix: 'Use the DataEndpoint that GetDataEndpoint gives for PUT_MEDIA.',
    });
  }
  if (bufferBytes !== undefined && !(bufferBytes > 0)) {
    throw new OptionsError('bufferBytes', 'The buffer for unconfirmed media must be over 0 bytes');
  }
}
