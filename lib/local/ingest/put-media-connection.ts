/** One PutMedia upload, from its first byte to the end of the response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sleep } from '../../util/abort.js';
import { deferred } from '../../util/deferred.js';
import type { FaultPlan } from '../faults/fault-plan.js';
import { commonHeaders } from '../http/answer.js';
import type { IngestLimits } from '../options.js';
import type { SimpleTag } from '../mkv/tags.js';
import type { StreamStore } from '../store/stream-store.js';
import { AckWriter } from './ack-writer.js';
import type { AckFragment } from './ack-writer.js';
import { FragmentAssembler } from './fragment-assembler.js';
import type { IngestEvent } from './fragment-assembler.js';
import type { ReceivedFragment } from './fragment-builder.js';
import { IngestError } from './ingest-error.js';

/** A fragment that was written to disk. */
export interface PersistedInfo {
  readonly number: string;
  readonly producerTimestampMs: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly metadata: readonly SimpleTag[];
}

/** Options of {@link PutMediaConnection}. */
export interface PutMediaConnectionOptions {
  readonly id: number;
  readonly streamName: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly store: StreamStore;
  /** Hours, asked anew for each fragment: it may change meanwhile. */
  readonly retentionHours: () => number;
  readonly wantsAcks: boolean;
  /** What timestamps count from, in epoch ms; 0 when they are absolute. */
  readonly startTimestampMs: number;
  readonly limits: IngestLimits;
  readonly faults: FaultPlan;
  readonly onPersisted: (fragment: PersistedInfo) => void;
}

interface CurrentFragment extends AckFragment {
  readonly serverTimestampMs: number;
}

/** Fragments that may wait for the disk before the upload is held back. */
const maxPendingWrites = 2;
/** How long the rest of a refused upload is read, so that the producer gets to see why. */
const lingerMs = 2000;

/**
 * A fragment that the producer did not finish, because its connection broke or it broke a rule,
 * is not stored. What was acknowledged as RECEIVED is stored even if the connection breaks then.
 */
export class PutMediaConnection {
  readonly id: number;
  readonly streamName: string;
  readonly #options: PutMediaConnectionOptions;
  readonly #acks: AckWriter;
  readonly #assembler: FragmentAssembler;
  readonly #ended = deferred<string>();
  /** Aborts when the upload is over, and with it every delay. */
  readonly #over = new AbortController();
  #fragment: CurrentFragment | undefined;
  #writes: Promise<void> = Promise.resolve();
  #pendingWrites = 0;
  /** PERSISTED acknowledgements leave in order. */
  #persistedAcks: Promise<void> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;
  #durationTimer: NodeJS.Timeout | undefined;
  #idleMs = 0;
  #isOver = false;

  constructor(options: PutMediaConnectionOptions) {
    this.id = options.id;
    this.streamName = options.streamName;
    this.#options = options;
    this.#acks = new AckWriter(options.response, options.wantsAcks);
    this.#assembler = new FragmentAssembler({
      limits: options.limits,
      startTimestampMs: options.startTimestampMs,
    });
  }

  /** Takes the upload. @returns why it ended; never rejects */
  async run(): Promise<string> {
    const { request, response, limits } = this.#options;
    response.writeHead(200, { ...commonHeaders(), 'Content-Type': 'application/json' });
    response.flushHeaders();
    request.on('data', this.#onData);
    request.once('end', this.#onEnd);
    request.once('close', this.#onClose);
    // 'close' follows, which is where it is dealt with.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    this.#durationTimer = setTimeout(() => {
      this.fail(new IngestError(4003, 'The connection reached its maximum duration'));
    }, limits.maxConnectionDurationMs);
    this.#watchIdle();
    this.holdOrRead();
    const cause = await this.#ended.promise;
    await this.#writes;
    return cause;
  }

  /** Ends the upload with an ERROR acknowledgement. */
  fail(error: IngestError): void {
    if (!this.#stop(`error ${error.errorId}: ${error.message}`)) return;
    void this.#finish(error.errorId);
  }

  /** Resets the connection. */
  cut(): void {
    this.#stop('cut by the server');
    const { socket } = this.#options.request;
    // A socket with TLS on it cannot be reset, and says so by an exception.
    if ('encrypted' in socket) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Reads on, unless the disk or a fault holds the upload back. */
  holdOrRead(): void {
    const { request, faults } = this.#options;
    if (this.#isOver) return;
    const isHeld = this.#pendingWrites > maxPendingWrites || faults.isStalled(this.streamName);
    if (isHeld) request.pause();
    else request.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#idleMs = 0;
    this.#idleTimer?.refresh();
    this.#takeAll(() => this.#assembler.push(chunk));
    this.holdOrRead();
  };

  readonly #onEnd = (): void => {
    this.#takeAll(() => this.#assembler.end());
    if (this.#isOver) return;
    this.#stopTimers();
    void this.#completeInOrder();
  };

  readonly #onClose = (): void => {
    const { request } = this.#options;
    if (!request.complete) this.#stop('cut by the producer');
  };

  #takeAll(read: () => Generator<IngestEvent, void>): void {
    try {
      for (const event of read()) {
        this.#take(event);
        if (this.#isOver) return;
      }
    } catch (error) {
      this.fail(
        error instanceof IngestError
          ? error
          : new IngestError(5000, 'The upload could not be processed', error),
      );
    }
  }

  #take(event: IngestEvent): void {
    if (event.kind === 'begin') {
      const { store, faults } = this.#options;
      const isOverRate = faults.isOverRate(this.streamName);
      this.#fragment = {
        timecode: event.timecode,
        number: store.nextNumber(),
        serverTimestampMs: Date.now(),
      };
      if (isOverRate) throw new IngestError(5000, 'The stream takes no more fragments a second');
      this.#acks.fragment('BUFFERING', this.#fragment);
      return;
    }
    const current = this.#fragment;
    if (current === undefined) throw new IngestError(5000, 'A fragment ended that never began');
    const fault = this.#options.faults.takeAckError(this.streamName);
    if (fault !== undefined) throw new IngestError(fault, 'asked for by fault injection');
    this.#acks.fragment('RECEIVED', current);
    this.#keep(current, event.fragment);
  }

  #keep(current: CurrentFragment, received: ReceivedFragment): void {
    const { store, retentionHours } = this.#options;
    const { number, serverTimestampMs } = current;
    const { producerTimestampMs, durationMs, sizeBytes, clusterOffset, parts, metadata } = received;
    const info = { number, producerTimestampMs, durationMs, sizeBytes };
    const fragment = { ...info, serverTimestampMs, clusterOffset, parts };
    if (retentionHours() === 0) {
      store.keepInMemory(fragment);
      return;
    }
    this.#pendingWrites += 1;
    this.#writes = this.#writes.then(async () => {
      try {
        await store.persist(fragment);
        this.#options.onPersisted({ ...info, metadata });
        this.#acknowledgePersisted(current);
      } catch (error) {
        this.fail(new IngestError(5001, 'The fragment could not be stored', error));
      } finally {
        this.#pendingWrites -= 1;
        this.holdOrRead();
      }
    });
  }

  #acknowledgePersisted(fragment: CurrentFragment): void {
    const delayMs = this.#options.faults.persistedDelayMs(this.streamName);
    if (delayMs === Infinity) return;
    // The clock starts now, not when the acknowledgement before this one has left.
    const due =
      delayMs === 0 ? Promise.resolve() : sleep(delayMs, this.#over.signal).catch(() => undefined);
    this.#persistedAcks = this.#persistedAcks.then(async () => {
      await due;
      this.#acks.fragment('PERSISTED', fragment);
    });
  }

  /** The producer is done: it gets what is still owed to it, then the end. */
  async #completeInOrder(): Promise<void> {
    await this.#writes;
    await this.#persistedAcks;
    if (!this.#stop('complete')) return;
    this.#options.response.end();
  }

  /** What was received before is acknowledged first; then the error and the end. */
  async #finish(errorId: number | undefined): Promise<void> {
    const { request, response } = this.#options;
    await this.#writes;
    await this.#persistedAcks;
    if (errorId !== undefined) {
      this.#acks.error(errorId, this.#fragment ?? { timecode: 0, number: '' });
    }
    response.end();
    if (request.complete) return;
    request.resume();
    const timer = setTimeout(() => {
      request.socket.destroy();
    }, lingerMs);
    request.once('close', () => {
      clearTimeout(timer);
    });
  }

  /** @returns whether this call is what ended the upload */
  #stop(cause: string): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stopTimers();
    this.#options.request.off('data', this.#onData);
    this.#over.abort(new Error(cause));
    this.#ended.resolve(cause);
    return true;
  }

  #stopTimers(): void {
    clearTimeout(this.#durationTimer);
    clearInterval(this.#idleTimer);
  }

  /** IDLE while nothing comes; in the end the connection is closed (dev guide, PutMedia). */
  #watchIdle(): void {
    const { request, limits } = this.#options;
    const stepMs = Math.min(limits.idleAckIntervalMs, limits.idleTimeoutMs);
    this.#idleTimer = setInterval(() => {
      if (request.isPaused()) return;
      this.#idleMs += stepMs;
      if (this.#idleMs < limits.idleTimeoutMs) this.#acks.idle();
      else if (this.#stop('idle')) void this.#finish(undefined);
    }, stepMs);
  }
}
