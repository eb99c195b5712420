/** A media session in this process: joins the native receiver to the PutMedia sink. */
import { EventEmitter } from 'node:events';
import type { AwsCredentials } from '../aws/credentials.js';
import { ackErrorFix } from '../putmedia/ack-errors.js';
import type { AckErrorAction } from '../putmedia/media-sink.js';
import { lookUpByListFragments } from '../putmedia/list-fragments.js';
import { PutMediaSink } from '../putmedia/put-media-sink.js';
import { deferred } from '../util/deferred.js';
import { ErrorCode, MediaError, PutMediaError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { noTotals } from './media-session.js';
import type {
  FragmentTag,
  MediaSession,
  MediaSessionEnd,
  MediaSessionEvents,
  MediaSessionOptions,
  MediaTotals,
  UploadOptions,
} from './media-session.js';
import { loadNative, nativeError } from './native.js';
import type { NativeEvent, NativeReceiver } from './native.js';
import { TotalsKeeper } from './totals.js';

/** How much of the drain time the pipeline may take; the rest is for the last PERSISTED. */
const pipelineDrainLimitMs = 2_000;

/** The native loop reports every second; silent for this long, it hangs. */
const nativeSilenceLimitMs = 4_000;

const actionTexts: Record<AckErrorAction, string> = {
  resend: 'it is sent again',
  skipFragment: 'it is lost, the next one goes on',
  slowRetry: 'tried again slowly',
};

/** Runs a receiver and its upload in this process (`isolation: 'none'`, and the media process). */
export class InProcessMediaSession
  extends EventEmitter<MediaSessionEvents>
  implements MediaSession
{
  readonly pid: undefined;
  #sink: PutMediaSink | undefined;
  readonly #totals = new TotalsKeeper();
  readonly #pipelineClosed = deferred<undefined>();
  readonly #closed = deferred<MediaSessionEnd>();
  /** Put before there was a receiver. */
  readonly #earlyTags: { readonly tag: FragmentTag; readonly persistent: boolean }[] = [];
  #credentials = deferred<AwsCredentials>();
  #receiver: NativeReceiver | undefined;
  #error: KvsBridgeError | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #stopping = false;
  #closing = false;

  start({ upload, tags, ...receiver }: MediaSessionOptions): void {
    if (this.#receiver !== undefined || this.#stopping) return;
    try {
      const sink = this.#createSink(upload);
      this.#sink = sink;
      this.#receiver = new (loadNative().Receiver)(receiver, (events) => {
        for (const event of events) this.#onNative(event, sink);
      });
      this.#receiver.start();
      for (const tag of tags) this.putMetadata(tag, { persistent: true });
      for (const { tag, persistent } of this.#earlyTags) this.putMetadata(tag, { persistent });
      this.#feedWatchdog();
    } catch (error) {
      this.#fail(asKvsBridgeError(error, ErrorCode.media));
    }
  }

  setAnswer(sdp: string): void {
    this.#guard(() => this.#receiver?.setAnswer(sdp));
  }

  addCandidate(candidate: string, sdpMLineIndex: number): void {
    this.#guard(() => this.#receiver?.addCandidate(sdpMLineIndex, candidate));
  }

  putMetadata(tag: FragmentTag, { persistent }: { readonly persistent: boolean }): void {
    if (this.#receiver === undefined) {
      this.#earlyTags.push({ tag, persistent });
      return;
    }
    this.#guard(() => this.#receiver?.putMetadata(tag.name, tag.value, persistent));
  }

  setCredentials(credentials: AwsCredentials): void {
    // Whoever waits gets them now, whoever asks later gets them then.
    this.#credentials.resolve(credentials);
    this.#credentials = deferred();
    this.#credentials.resolve(credentials);
  }

  stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<MediaSessionEnd> {
    if (!this.#stopping) {
      this.#stopping = true;
      void this.#end(drainTimeoutMs);
    }
    return this.#closed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ drainTimeoutMs: 0 });
  }

  #createSink({ dataEndpoint, archiveEndpoint, ...options }: UploadOptions): PutMediaSink {
    const sink = new PutMediaSink({
      ...options,
      endpoint: dataEndpoint,
      credentials: ({ refused }) => this.#getCredentials(refused),
      ...(archiveEndpoint === undefined || !options.expectPersisted
        ? {}
        : {
            isPersisted: lookUpByListFragments({
              ...options,
              endpoint: archiveEndpoint,
              credentials: () => this.#getCredentials(false),
            }),
          }),
    });
    sink.on('connection', ({ state, epoch }) => {
      this.emit('upload', { state, epoch });
    });
    sink.on('persisted', (fragment) => {
      this.#totals.onPersisted(fragment);
      this.emit('persisted', { ...fragment, fragmentNumber: fragment.fragmentNumber ?? '' });
    });
    sink.on('dropped', ({ videoFrames, reason }) => {
      if (!this.#closing) this.emit('lost', { videoFrames, reason });
    });
    sink.on('ackError', ({ errorId, errorName, timecodeMs, action }) => {
      const fragment = timecodeMs === undefined ? '' : ` for fragment ${timecodeMs}`;
      this.emit(
        'warning',
        new PutMediaError(
          ErrorCode.putMedia,
          `KVS answered ${errorName} (${errorId})${fragment}: ${actionTexts[action]}`,
          { fix: ackErrorFix(errorId) },
        ),
      );
    });
    sink.on('failed', ({ error, fatal }) => {
      this.emit('uploadError', { error, fatal });
    });
    return sink;
  }

  /** The keys in use; after a refusal only those that come next, and they are asked for. */
  #getCredentials(refused: boolean): Promise<AwsCredentials> {
    if (refused) {
      this.#credentials = deferred();
      this.emit('credentialsRefused');
    }
    return this.#credentials.promise;
  }

  #onNative(event: NativeEvent, sink: PutMediaSink): void {
    switch (event.type) {
      case 'localDescription':
        this.emit('offer', event.sdp);
        return;
      case 'localCandidate':
        this.emit('candidate', {
          candidate: event.candidate,
          sdpMLineIndex: event.sdpMLineIndex,
        });
        return;
      case 'connectionState':
        this.emit('connectionState', { connection: event.connection, ice: event.ice });
        return;
      case 'track':
        this.emit('track', {
          kind: event.kind,
          codec: event.codec,
          storedAs: event.storedAs,
          transcoded: event.transcoded,
        });
        return;
      case 'epoch': {
        sink.beginEpoch({ epoch: event.epoch, header: event.header });
        const { epoch, timecodeMs, videoCodec, width, height, audioCodec } = event;
        this.emit('epoch', {
          epoch,
          timecodeMs,
          ...(videoCodec === '' ? {} : { videoCodec }),
          width,
          height,
          ...(audioCodec === '' ? {} : { audioCodec }),
        });
        return;
      }
      case 'fragmentStart':
        sink.beginFragment({ epoch: event.epoch, timecodeMs: event.timecodeMs });
        return;
      case 'mediaData':
        sink.write(event.data);
        return;
      case 'fragmentEnd':
        sink.endFragment(event);
        return;
      case 'epochEnd':
        sink.endEpoch({ epoch: event.epoch, trailer: event.trailer });
        return;
      case 'framesDropped':
        this.emit('lost', { videoFrames: event.videoFrames, reason: event.reason });
        return;
      case 'gap': {
        const { fromMs, toMs, reason, videoFramesDropped } = event;
        this.emit('gap', { fromMs, toMs, reason, videoFramesDropped });
        return;
      }
      case 'keyframeOverdue':
        this.emit('keyframeOverdue', { waitedMs: event.waitedMs });
        return;
      case 'stats':
        this.#feedWatchdog();
        this.#totals.onStats(event);
        this.emit('totals', this.#readTotals());
        return;
      case 'error':
        this.#onNativeError(
          nativeError(event.kind, event.message, event.element, event.debug),
          event.fatal,
        );
        return;
      case 'closed':
        this.#pipelineClosed.resolve(undefined);
        void this.stop({ drainTimeoutMs: pipelineDrainLimitMs });
        return;
    }
  }

  #onNativeError(error: MediaError, fatal: boolean): void {
    if (fatal) this.#fail(error);
    else this.emit('warning', error);
  }

  #readTotals(): MediaTotals {
    return this.#sink === undefined ? noTotals : this.#totals.read(this.#sink.stats());
  }

  /** What the peer sent may be refused with an exception; that is a warning, never the end. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.emit('warning', asKvsBridgeError(error, ErrorCode.badPeerInput));
    }
  }

  #feedWatchdog(): void {
    clearTimeout(this.#watchdog);
    if (this.#stopping) return;
    this.#watchdog = setTimeout(() => {
      this.#pipelineClosed.resolve(undefined);
      this.#fail(
        new MediaError(
          ErrorCode.media,
          `The media pipeline did not respond for ${String(nativeSilenceLimitMs)} ms`,
        ),
      );
    }, nativeSilenceLimitMs);
    this.#watchdog.unref();
  }

  #fail(error: KvsBridgeError): void {
    this.#error ??= error;
    void this.stop({ drainTimeoutMs: pipelineDrainLimitMs });
  }

  async #end(drainTimeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + drainTimeoutMs;
    clearTimeout(this.#watchdog);
    if (this.#receiver !== undefined) {
      this.#receiver.stop(Math.min(drainTimeoutMs, pipelineDrainLimitMs));
      // A pipeline that hangs in a state change never closes; dispose leaves its thread behind.
      const hung = setTimeout(() => {
        this.#pipelineClosed.resolve(undefined);
      }, drainTimeoutMs + pipelineDrainLimitMs);
      await this.#pipelineClosed.promise;
      clearTimeout(hung);
      this.#receiver.dispose();
    }
    try {
      await this.#sink?.drain({ timeoutMs: Math.max(0, deadlineMs - performance.now()) });
    } catch (error) {
      this.#error ??= asKvsBridgeError(error, ErrorCode.putMedia);
    }
    // Before the sink gives up: what is not confirmed by now is pending, it may be stored all the same.
    const totals = this.#readTotals();
    this.#closing = true;
    await this.#sink?.close();
    const end: MediaSessionEnd = {
      totals,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
    this.emit('closed', end);
    this.#closed.resolve(end);
  }
}
