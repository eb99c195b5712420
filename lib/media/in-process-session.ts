/** A media session in this process: joins the native receiver to the sinks. */
import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { AwsCredentials } from '../aws/credentials.js';
import { chooseSink } from '../kvssink/choose-sink.js';
import { KvsSinkKeeper } from '../kvssink/keeper.js';
import type { MediaSink } from '../putmedia/media-sink.js';
import type { SpoolStatus } from '../putmedia/spool-status.js';
import { deferred } from '../util/deferred.js';
import { ErrorCode, MediaError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { hideCredentials, hideIcePasswords, rememberSecrets } from '../util/secrets.js';
import { readGstLog } from './gst-log.js';
import { createSinks } from './create-sinks.js';
import { dtlsIdentity } from './dtls-identity.js';
import { noTotals } from './media-session.js';
import type {
  FragmentTag,
  MediaSession,
  MediaSessionEnd,
  MediaSessionEvents,
  MediaSessionOptions,
  MediaTotals,
} from './media-session.js';
import { nativeError } from './native-error.js';
import { loadNative } from './native.js';
import type { ReceiverEvent } from './native-events.js';
import type { NativeReceiver } from './native.js';
import type { SessionSinks } from './session-sinks.js';
import { StatsKeeper } from './stats-keeper.js';
import { epochOf, lossOf, trackOf, warningOf } from './told-media.js';
import { TotalsKeeper } from './totals.js';

/** How much of the drain time the pipeline may take; the rest is for the last PERSISTED. */
const pipelineDrainLimitMs = 2_000;

/** The native loop reports every second; silent for this long, it hangs. */
const nativeSilenceLimitMs = 4_000;

/** Runs a receiver and its upload in this process (`isolation: 'none'`, and the media process). */
export class InProcessMediaSession
  extends EventEmitter<MediaSessionEvents>
  implements MediaSession
{
  readonly pid: undefined;
  #sinks: SessionSinks | undefined;
  #keeper: KvsSinkKeeper | undefined;
  readonly #totals = new TotalsKeeper();
  readonly #stats = new StatsKeeper();
  readonly #pipelineClosed = deferred<undefined>();
  readonly #closed = deferred<MediaSessionEnd>();
  /** Put before there was a receiver. */
  readonly #earlyTags: { readonly tag: FragmentTag; readonly persistent: boolean }[] = [];
  #credentials = deferred<AwsCredentials>();
  #receiver: NativeReceiver | undefined;
  #error: KvsBridgeError | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #spool: SpoolStatus | undefined;
  #endGstLog = (): void => undefined;
  #stopping = false;
  #closing = false;

  start({ upload, tags, gstDebug, ...receiver }: MediaSessionOptions): void {
    if (this.#receiver !== undefined || this.#stopping) return;
    for (const { password } of receiver.iceServers) rememberSecrets(password);
    try {
      const native = loadNative();
      if (gstDebug !== undefined) {
        this.#endGstLog = readGstLog(native, gstDebug, (batch) => this.emit('gstLog', batch));
      }
      const { folder } = upload.kvssink;
      const choice = chooseSink(upload.sink, {
        hasOwnProcess: folder !== undefined,
        hasElement: () => native.hasElement('kvssink'),
      });
      this.emit('sink', choice);
      if (choice.sink === 'kvssink' && folder !== undefined) {
        this.#keeper = new KvsSinkKeeper(folder, upload.ca);
      }
      const kvssink = this.#keeper?.nativeOptions({ ...upload, ...upload.kvssink });
      const sinks = createSinks({
        ...{ upload, keeper: this.#keeper, owner: receiver.ledger },
        credentials: (refused) => this.#getCredentials(refused),
      });
      this.#sinks = sinks;
      this.#listenTo(sinks);
      this.#receiver = new native.Receiver(
        {
          ...receiver,
          dtlsIdentity: dtlsIdentity(),
          ...(kvssink === undefined ? {} : { kvssink }),
        },
        (events) => {
          for (const event of events) this.#onNative(event, sinks);
        },
      );
      this.#receiver.start();
      for (const tag of tags) this.putMetadata(tag, { persistent: true });
      for (const { tag, persistent } of this.#earlyTags) this.putMetadata(tag, { persistent });
      this.#feedWatchdog();
    } catch (error) {
      this.#fail(asKvsBridgeError(error, ErrorCode.media));
    }
  }

  setAnswer(sdp: string): void {
    hideIcePasswords(sdp);
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
    hideCredentials(credentials);
    // Whoever waits gets them now, whoever asks later gets them then.
    this.#credentials.resolve(credentials);
    this.#credentials = deferred();
    this.#credentials.resolve(credentials);
    try {
      this.#keeper?.setCredentials(credentials);
    } catch (error) {
      this.#fail(asKvsBridgeError(error, ErrorCode.credentials));
    }
  }

  stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<MediaSessionEnd> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.emit('ending', { mayOverlap: this.#mayOverlap(), ...this.#cause() });
      void this.#end(drainTimeoutMs);
    }
    return this.#closed.promise;
  }

  /** Ends as if by itself, for this reason, and drains: another session takes over. */
  retire(error: KvsBridgeError, { drainTimeoutMs }: { readonly drainTimeoutMs: number }): void {
    this.#error ??= error;
    void this.stop({ drainTimeoutMs });
  }

  kill(): void {
    void this.stop({ drainTimeoutMs: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ drainTimeoutMs: 0 });
  }

  #listenTo(sinks: SessionSinks): void {
    const { putMedia, kvs } = sinks;
    putMedia.on('warning', (error) => {
      this.emit('warning', error);
    });
    putMedia.on('spool', (status) => {
      this.#reportSpool(status);
    });
    kvs?.on('warning', (error) => {
      this.emit('warning', error);
    });
    kvs?.on('stuck', (error) => {
      // It may be the credentials: the next media process is to have others.
      if (/HTTP 40[13]/.test(error.message)) this.emit('credentialsRefused');
      this.#fail(error);
    });
    for (const sink of sinks.all) this.#listenToSink(sink);
  }

  #listenToSink(sink: MediaSink): void {
    this.#stats.follow(sink);
    sink.on('connection', ({ state, epoch }) => {
      this.emit('upload', { state, epoch });
    });
    sink.on('persisted', (fragment) => {
      this.#totals.onPersisted(fragment);
      this.emit('persisted', { ...fragment, fragmentNumber: fragment.fragmentNumber ?? '' });
    });
    sink.on('dropped', (dropped) => {
      if (!this.#closing) this.emit('lost', lossOf(dropped));
    });
    sink.on('ackError', (ackError) => {
      this.emit('warning', warningOf(ackError));
    });
    sink.on('failed', ({ error, fatal }) => {
      this.emit('uploadError', { error, fatal });
    });
  }

  /** The keys in use; after a refusal only those that come next, and they are asked for. */
  #getCredentials(refused: boolean): Promise<AwsCredentials> {
    if (refused) {
      this.#credentials = deferred();
      this.emit('credentialsRefused');
    }
    return this.#credentials.promise;
  }

  #onNative(event: ReceiverEvent, sinks: SessionSinks): void {
    switch (event.type) {
      case 'localDescription':
        hideIcePasswords(event.sdp);
        this.emit('offer', event.sdp);
        return;
      case 'localCandidate': {
        const { candidate, sdpMLineIndex } = event;
        this.emit('candidate', { candidate, sdpMLineIndex });
        return;
      }
      case 'connectionState':
        this.emit('connectionState', { connection: event.connection, ice: event.ice });
        return;
      case 'track':
        this.emit('track', trackOf(event));
        return;
      case 'epoch':
        sinks.handle(event);
        this.emit('epoch', epochOf(event));
        return;
      case 'fragmentStart':
        sinks.handle(event);
        this.emit('fragment', { epoch: event.epoch, timecodeMs: event.timecodeMs });
        return;
      case 'mediaData':
      case 'fragmentEnd':
      case 'epochEnd':
      case 'sinkAck':
      case 'sinkState':
        sinks.handle(event);
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
        this.#stats.onStats(event);
        this.emit('totals', this.#readTotals());
        this.emit('stats', this.#stats.read());
        this.#reportSpool(sinks.putMedia.spoolStatus());
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

  #reportSpool(status: SpoolStatus | undefined): void {
    if (status === undefined || isDeepStrictEqual(status, this.#spool)) return;
    this.#spool = status;
    this.emit('spool', status);
  }

  /** The next session may begin to upload: there is none yet, or they take turns. */
  #mayOverlap(): boolean {
    return this.#sinks?.putMedia.spoolStatus()?.ordersUploads ?? this.#sinks === undefined;
  }

  #readTotals(): MediaTotals {
    return this.#sinks === undefined ? noTotals : this.#totals.read(this.#sinks.stats());
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

  #cause(): { readonly error?: KvsBridgeError } {
    return this.#error === undefined ? {} : { error: this.#error };
  }

  async #end(drainTimeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + drainTimeoutMs;
    clearTimeout(this.#watchdog);
    if (this.#receiver !== undefined) {
      this.#sinks?.kvs?.finish();
      // kvssink drains in the pipeline, all other media after it.
      const drainsHere = this.#keeper !== undefined;
      this.#receiver.stop(
        drainsHere ? drainTimeoutMs : Math.min(drainTimeoutMs, pipelineDrainLimitMs),
      );
      // A pipeline that hangs in a state change never closes; dispose leaves its thread behind.
      const hung = setTimeout(() => {
        this.#pipelineClosed.resolve(undefined);
      }, drainTimeoutMs + pipelineDrainLimitMs);
      await this.#pipelineClosed.promise;
      clearTimeout(hung);
      this.#receiver.dispose();
    }
    try {
      await this.#sinks?.end();
      await this.#sinks?.drain(Math.max(0, deadlineMs - performance.now()));
      await this.#sinks?.putMedia.flush();
    } catch (error) {
      this.#error ??= asKvsBridgeError(error, ErrorCode.putMedia);
    }
    // Before the sink gives up: what is not confirmed by now is pending, it may be stored all the same.
    const totals = this.#readTotals();
    this.#closing = true;
    await this.#sinks?.close();
    this.emit('stats', this.#stats.read());
    this.#endGstLog();
    const end: MediaSessionEnd = { totals, ...this.#cause() };
    this.emit('closed', end);
    this.#closed.resolve(end);
  }
}
