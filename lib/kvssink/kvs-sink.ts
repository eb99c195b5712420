/** The bookkeeping of media that goes through kvssink: what became of each fragment. */
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { ackErrorFix, ackErrorName } from '../putmedia/ack-errors.js';
import { Drains } from '../putmedia/drains.js';
import type {
  DrainOptions,
  DrainResult,
  DropReason,
  FragmentRef,
  FragmentStart,
  FragmentTotals,
  MediaSink,
  MediaSinkEvents,
  MediaSinkStats,
} from '../putmedia/media-sink.js';
import type { PersistedLookup } from '../putmedia/stored-check.js';
import { SinkTotals } from '../putmedia/sink-totals.js';
import { ErrorCode, PutMediaError } from '../util/errors.js';
import { kvsSinkAckAction } from './ack-actions.js';
import type { ElementAck, ElementState } from './element-reports.js';
import { describeStatus, describeStatuses } from './status-names.js';

export type { ElementAck, ElementState };

/** Options of {@link KvsSink}. */
export interface KvsSinkOptions {
  readonly streamName: string;
  /** A complete fragment that is not PERSISTED for so long shows that the element is stuck, in ms. */
  readonly persistTimeoutMs: number;
  /** Asked what is stored of that which an element that failed left without an acknowledgement. */
  readonly isPersisted?: PersistedLookup;
  /** Lines that the element logged since the last call, redacted. */
  readonly readLog?: () => readonly string[];
}

interface Held extends FragmentRef {
  fragmentNumber: string | undefined;
  totals: FragmentTotals | undefined;
  bytes: number;
  completedAtMs: number;
  /** KVS has the whole of it: what else it stores of a broken connection may be a part. */
  isReceived: boolean;
  /** Acknowledged as PERSISTED before its end was told. */
  isPersisted: boolean;
  /** The element failed before its end: what KVS has may lack frames that were counted. */
  isTorn: boolean;
}

const checkIntervalMs = 500;

/** Refused requests within {@link stormWindowMs} that show that the element retries in a hot loop. */
const stormSize = 30;
const stormWindowMs = 5_000;

/** Least time between two warnings about the same thing. */
const warningIntervalMs = 10_000;

const lookUpTimeoutMs = 3_000;

/**
 * Follows each fragment from its start to its PERSISTED by what the native side tells, and finds
 * from outside what the element keeps to itself: that it stores nothing, that it retries without end.
 */
export class KvsSink extends EventEmitter<MediaSinkEvents> implements MediaSink {
  readonly #options: KvsSinkOptions;
  readonly #totals = new SinkTotals();
  readonly #held = new Map<string, Held>();
  readonly #drains = new Drains(
    () => this.stats(),
    () => this.#held.size === 0 || this.#isEnded,
  );
  readonly #warnedAtMs = new Map<string, number>();
  readonly #refusals: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #progressAtMs = performance.now();
  #lastRefusal = '';
  #newestPersisted: Held | undefined;
  /** KVS refused a fragment and named none that is held: that of a connection that broke before. */
  #hasUnnamedRefusal = false;
  #isStuck = false;
  #isFinishing = false;
  #isEnded = false;

  constructor(options: KvsSinkOptions) {
    super();
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#check();
    }, checkIntervalMs);
  }

  beginFragment({ epoch, timecodeMs }: FragmentStart): void {
    this.#held.set(keyOf(epoch, timecodeMs), {
      ...{ epoch, timecodeMs, fragmentNumber: undefined, totals: undefined },
      ...{ bytes: 0, completedAtMs: 0, isReceived: false, isPersisted: false },
      isTorn: this.#isStuck,
    });
  }

  endFragment(end: FragmentStart & FragmentTotals & { readonly bytes: number }): void {
    const { durationMs, videoFrames, audioFrames } = end;
    const totals = { durationMs, videoFrames, audioFrames };
    this.#totals.produced(totals);
    const fragment = this.#held.get(keyOf(end.epoch, end.timecodeMs));
    if (fragment === undefined) return;
    fragment.totals = totals;
    fragment.bytes = end.bytes;
    fragment.completedAtMs = performance.now();
    if (fragment.isPersisted && !fragment.isTorn) this.#confirm(fragment);
  }

  onAck({ epoch, ack, timecodeMs, fragmentNumber, errorId }: ElementAck): void {
    const fragment = this.#held.get(keyOf(epoch, timecodeMs));
    if (ack === 'error') {
      this.#onErrorAck(errorId, fragment);
      return;
    }
    // The element sends some fragments twice after a reset: the second time they are not held.
    if (fragment === undefined || ack === 'idle') return;
    fragment.fragmentNumber = fragmentNumber;
    if (ack === 'received') fragment.isReceived = true;
    if (ack !== 'persisted') {
      this.emit(ack, refOf(fragment));
      return;
    }
    this.#progressAtMs = performance.now();
    this.#refusals.length = 0;
    fragment.isPersisted = true;
    if (fragment.isTorn) return;
    this.#confirm(fragment);
    if (this.#hasUnnamedRefusal) {
      this.#hasUnnamedRefusal = false;
      this.#loseOvertaken(fragment, 'refused');
    }
    this.#newestPersisted = fragment;
  }

  onState({ epoch, state, status, reason }: ElementState): void {
    switch (state) {
      case 'opening':
      case 'open':
        this.emit('connection', { state, epoch });
        return;
      case 'frameRefused':
        this.#warn('frame', `kvssink refused a frame: ${describeStatuses(reason)}`);
        return;
      case 'failed':
        this.#fail(
          `kvssink failed: ${status === 0 ? describeStatuses(reason) : describeStatus(status)}`,
        );
        return;
      case 'abandoned':
        this.#warn('hung', 'kvssink did not stop in time: its threads and memory are left behind');
        this.emit('connection', { state: 'closed', epoch, reason: 'it hung' });
        this.#loseEpoch(epoch);
        return;
      case 'closed':
        this.emit('connection', { state: 'closed', epoch });
        this.#loseEpoch(epoch);
        return;
    }
  }

  stats(): MediaSinkStats {
    const pending = {
      videoFramesSpooled: 0,
      videoFramesPending: 0,
      audioFramesPending: 0,
      bytesPending: 0,
    };
    for (const { bytes, totals } of this.#held.values()) {
      pending.bytesPending += bytes;
      pending.videoFramesPending += totals?.videoFrames ?? 0;
      pending.audioFramesPending += totals?.audioFrames ?? 0;
    }
    return { ...this.#totals.snapshot(), ...pending, fragmentsPending: this.#held.size };
  }

  /** The session stops: what its elements leave without an acknowledgement is pending, not lost. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** No acknowledgement follows. */
  end(): void {
    this.#isEnded = true;
    clearInterval(this.#timer);
    // After a failure, the archive is asked.
    if (!this.#isStuck && this.#newestPersisted !== undefined) {
      this.#loseOvertaken(this.#newestPersisted, 'neverPersisted');
    }
    this.#drains.check();
  }

  /** True when `stuck` was emitted. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /**
   * Finds out what is stored of that which an element left without an acknowledgement, and counts the
   * rest as lost.
   *
   * @param epoch - of the element; without it, everything
   */
  async settle(reason: DropReason, epoch?: number): Promise<void> {
    const { isPersisted } = this.#options;
    const fragments = [...this.#held.values()].filter(
      (fragment) => epoch === undefined || fragment.epoch === epoch,
    );
    const doubtful = fragments.filter(({ isReceived, isTorn }) => isReceived && !isTorn);
    if (isPersisted !== undefined && doubtful.length > 0) {
      const timecodesMs = doubtful.map(({ timecodeMs }) => timecodeMs);
      const signal = AbortSignal.timeout(lookUpTimeoutMs);
      // Without an answer nothing is taken for stored.
      const stored = await isPersisted(timecodesMs, { signal }).catch(
        () => new Map<number, string>(),
      );
      for (const fragment of doubtful) {
        const fragmentNumber = stored.get(fragment.timecodeMs);
        if (fragmentNumber === undefined) continue;
        fragment.fragmentNumber = fragmentNumber;
        this.#confirm(fragment);
      }
    }
    for (const fragment of fragments) this.#lose(fragment, reason);
  }

  drain(options: DrainOptions): Promise<DrainResult> {
    return this.#drains.wait(options);
  }

  close(): Promise<void> {
    this.end();
    for (const fragment of [...this.#held.values()]) this.#lose(fragment, 'closed');
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onErrorAck(errorId: number, fragment: Held | undefined): void {
    const action = kvsSinkAckAction(errorId);
    const errorName = ackErrorName(errorId);
    this.emit('ackError', { errorId, errorName, timecodeMs: fragment?.timecodeMs, action });
    if (action === 'skipFragment') {
      if (fragment === undefined) this.#hasUnnamedRefusal = true;
      else this.#lose(fragment, 'refused');
    }
    if (action === 'slowRetry') {
      const { streamName } = this.#options;
      this.#fail(
        `KVS refuses media for the stream "${streamName}" (${errorName}, ${String(errorId)})`,
        ackErrorFix(errorId),
      );
    }
  }

  #confirm(fragment: Held): void {
    const { totals, bytes, completedAtMs } = fragment;
    if (totals === undefined || !this.#held.delete(keyOf(fragment.epoch, fragment.timecodeMs))) {
      return;
    }
    this.#totals.persisted(fragment, totals);
    const persistLatencyMs = Math.max(0, performance.now() - completedAtMs);
    this.emit('persisted', { ...refOf(fragment), ...totals, bytes, persistLatencyMs });
    this.#drains.check();
  }

  #lose(fragment: Held, reason: DropReason): void {
    if (!this.#held.delete(keyOf(fragment.epoch, fragment.timecodeMs))) return;
    const { timecodeMs, totals } = fragment;
    if (totals !== undefined) {
      this.#totals.lost(totals);
      this.emit('dropped', {
        fragments: 1,
        ...{ videoFrames: totals.videoFrames, audioFrames: totals.audioFrames },
        ...{ fromTimecodeMs: timecodeMs, toTimecodeMs: timecodeMs + totals.durationMs },
        reason,
      });
    }
    this.#drains.check();
  }

  /** The element sends in order: what lies before a fragment that is stored will not be sent again. */
  #loseOvertaken({ epoch, timecodeMs }: FragmentRef, reason: DropReason): void {
    for (const fragment of [...this.#held.values()]) {
      const isComplete = fragment.totals !== undefined;
      if (isComplete && fragment.epoch === epoch && fragment.timecodeMs < timecodeMs) {
        this.#lose(fragment, reason);
      }
    }
  }

  /** An epoch's element is gone: nothing of it will be acknowledged any more. */
  #loseEpoch(epoch: number): void {
    // After a failure, everything is settled at the end.
    if (!this.#isStuck && !this.#isFinishing) void this.settle('neverPersisted', epoch);
  }

  #check(): void {
    for (const line of this.#options.readLog?.() ?? []) this.#onLogLine(line);
    const nowMs = performance.now();
    const { persistTimeoutMs } = this.#options;
    let oldest: Held | undefined;
    for (const fragment of [...this.#held.values()]) {
      if (fragment.totals === undefined || nowMs - fragment.completedAtMs < persistTimeoutMs) {
        continue;
      }
      // Others got through after it: the element dropped this one.
      if (this.#progressAtMs > fragment.completedAtMs) this.#lose(fragment, 'neverPersisted');
      else oldest ??= fragment;
    }
    if (oldest !== undefined) {
      const cause =
        this.#lastRefusal === '' ? '' : `; its last request ended with ${this.#lastRefusal}`;
      this.#fail(`kvssink had nothing PERSISTED for ${String(persistTimeoutMs / 1000)} s${cause}`);
    }
  }

  #onLogLine(line: string): void {
    // 0: the connection broke, which the element mends.
    const refusal = /HTTP Error ([1-9]\d*)/.exec(line)?.[1];
    if (refusal === undefined) {
      if (/^(?:FATAL|(?:ERROR|WARN) .*Reported (?:dropped|stream error))/.test(line)) {
        this.#warn(line.replace(/\d+/g, '#').slice(0, 80), `kvssink: ${describeStatuses(line)}`);
      }
      return;
    }
    const nowMs = performance.now();
    this.#lastRefusal = `HTTP ${refusal}`;
    this.#warn(`HTTP ${refusal}`, `KVS answered kvssink with HTTP ${refusal}`);
    this.#refusals.push(nowMs);
    while ((this.#refusals[0] ?? nowMs) < nowMs - stormWindowMs) this.#refusals.shift();
    if (this.#refusals.length < stormSize) return;
    this.#fail(`kvssink repeats a request without end that KVS answers with HTTP ${refusal}`);
  }

  #warn(about: string, message: string): void {
    const nowMs = performance.now();
    if (nowMs - (this.#warnedAtMs.get(about) ?? -Infinity) < warningIntervalMs) return;
    this.#warnedAtMs.set(about, nowMs);
    this.emit('warning', new PutMediaError(ErrorCode.putMedia, message));
  }

  #fail(
    message: string,
    fix = 'A fresh media process goes on; see the warnings before this.',
  ): void {
    if (this.#isStuck || this.#isEnded) return;
    this.#isStuck = true;
    for (const fragment of this.#held.values()) fragment.isTorn = fragment.totals === undefined;
    this.emit('stuck', new PutMediaError(ErrorCode.putMedia, message, { fix }));
  }
}

function keyOf(epoch: number, timecodeMs: number): string {
  return `${String(epoch)}/${String(timecodeMs)}`;
}

function refOf({ epoch, timecodeMs, fragmentNumber }: Held): FragmentRef {
  return { epoch, timecodeMs, fragmentNumber };
}
