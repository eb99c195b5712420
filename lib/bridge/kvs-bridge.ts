/** The Bridge: records one master of a signaling channel into one stream, session after session. */
import { EventEmitter } from 'node:events';
import { chainCredentials, staticCredentials } from '../aws/credentials.js';
import type { CredentialsSource } from '../aws/credentials.js';
import { createMediaSession } from '../media/create-session.js';
import type { MediaSession, MediaSessionEnd } from '../media/media-session.js';
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { deferred } from '../util/deferred.js';
import { ErrorCode, SignalingError, StateError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { BridgeState } from './events.js';
import type { BridgeEnd, BridgeStep, BridgeTotals, KvsBridgeEvents } from './events.js';
import { isFatal } from './fatal-codes.js';
import { FragmentTags } from './fragment-tags.js';
import { kvsSinkPlace, resolveOptions } from './options.js';
import type { KvsBridgeOptions, ResolvedOptions } from './options.js';
import { RecordingMonitor } from './recording-monitor.js';
import { findResources } from './resources.js';
import { SessionTotals } from './totals.js';
import { SignalingLink } from './signaling-link.js';
import { ViewerSession } from './viewer-session.js';

/** A session that ran this long was a good one: the next failure starts at the shortest delay. */
const stableSessionMs = 10_000;

/**
 * Records the master of a KVS signaling channel into a KVS stream.
 *
 * @example
 * ```ts
 * await using bridge = new KvsBridge({ channel: 'front-door', stream: 'front-door-archive' });
 * bridge.on('persisted', ({ fragmentNumber, lagMs }) => log(fragmentNumber, lagMs));
 * await bridge.start();
 * await once(process, 'SIGTERM');
 * ```
 */
export class KvsBridge extends EventEmitter<KvsBridgeEvents> implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #credentials: CredentialsSource;
  readonly #stopRequest = new AbortController();
  readonly #running = deferred<undefined>();
  readonly #finished = deferred<BridgeEnd>();
  readonly #totals = new SessionTotals();
  readonly #steps = new Set<BridgeStep>();
  readonly #monitor: RecordingMonitor;
  readonly #tags: FragmentTags;
  #state: BridgeState = BridgeState.idle;
  #startedAtMs = 0;
  #media: MediaSession | undefined;
  #masterDeadline: NodeJS.Timeout | undefined;
  #fatal: KvsBridgeError | undefined;

  /** @throws {@link OptionsError} that names the option, what was expected and the fix */
  constructor(options: KvsBridgeOptions) {
    super();
    this.#options = resolveOptions(options);
    this.#tags = new FragmentTags(this.#options.tags);
    this.#credentials =
      options.credentials === undefined
        ? chainCredentials({ region: this.#options.region })
        : staticCredentials(options.credentials);
    this.#monitor = new RecordingMonitor(this.#options.persistTimeoutMs, (recording) => {
      if (recording) this.#setState(BridgeState.recording);
      else this.#setState(BridgeState.degraded, this.#monitor.reason);
    });
    // `finished` is for those who ask; nobody has to.
    this.#finished.promise.catch(() => undefined);
    this.#running.promise.catch(() => undefined);
  }

  /** The present state. Only `recording` means that media is being kept. */
  get state(): BridgeState {
    return this.#state;
  }

  /** Id of the present media process; undefined without one, or with `isolation: 'none'`. */
  get mediaProcessId(): number | undefined {
    return this.#media?.pid;
  }

  /** Totals so far, over all sessions. */
  get totals(): BridgeTotals {
    return this.#totals.read();
  }

  /**
   * Looks everything up, connects and offers; resolves when the first offer is out. Recording
   * begins when a master answers: see the `state` and `persisted` events.
   *
   * @param options - `signal` stops the Bridge, now or later, as {@link stop} does
   * @throws {@link KvsBridgeError} when it cannot start; `code` says why
   * @throws {@link StateError} when it was started before
   */
  async start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== BridgeState.idle) {
      throw new StateError('A Bridge starts once', { fix: 'Make a new KvsBridge.' });
    }
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#startedAtMs = performance.now();
    this.#setState(BridgeState.starting);
    void this.#run();
    await this.#running.promise;
  }

  /** Resolves with the totals when the Bridge is done. @throws the error that ended it, if one did */
  async finished(): Promise<BridgeEnd> {
    const end = await this.#finished.promise;
    if (end.error !== undefined) throw end.error;
    return end;
  }

  /**
   * Drains within `drainTimeoutMs` and ends. Repeats share one end; it never rejects: what could
   * not be persisted is in the totals as pending.
   */
  stop(): Promise<BridgeEnd> {
    if (!this.#stopRequest.signal.aborted) {
      if (this.#state === BridgeState.idle) this.#finish();
      else if (this.#state !== BridgeState.stopped) this.#setState(BridgeState.stopping);
      this.#stopRequest.abort(new StateError('The Bridge was stopped'));
      void this.#media?.stop({ drainTimeoutMs: this.#options.drainTimeoutMs });
    }
    return this.#finished.promise;
  }

  /**
   * Keeps a name and value with the next fragment, for readers of the stream (GetMedia,
   * GetMediaForFragmentList). While no media arrives, it waits for the first fragment that comes.
   *
   * KVS takes ten tags a fragment. The bridge's own (`kvsb-session`, `kvsb-epoch`, `kvsb-gap-ms`,
   * `kvsb-codec`) leave room for six persistent ones. Of those put once, what is one too many for
   * its fragment is refused by a `warning`.
   *
   * @param name - 1 to 128 bytes, beginning with neither `AWS` nor `kvsb-`
   * @param value - 1 to 256 bytes
   * @param options - `persistent`: repeated with every fragment from the next on, in later sessions
   * too, until it is put again with an empty value. `@defaultValue` false
   * @throws {@link OptionsError} that names the tag, what is wrong with it and the fix
   */
  putFragmentMetadata(
    name: string,
    value: string,
    { persistent = false }: { readonly persistent?: boolean } = {},
  ): void {
    const tag = { name, value };
    this.#tags.put(tag, persistent);
    this.#media?.putMetadata(tag, { persistent });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    try {
      const signal = this.#stopRequest.signal;
      // Loads while channel and stream are looked up.
      const first = await this.#createMedia();
      const resources = await findResources(this.#options, this.#credentials, signal, (error) =>
        this.emit('warning', error),
      );
      this.#step('resources');
      await using link = new SignalingLink(this.#options, resources, this.#credentials);
      link.on('warning', (error) => this.emit('warning', error));
      link.on('change', (change) => this.emit('signaling', change));
      link.open();
      const inputs = {
        options: this.#options,
        resources,
        credentials: this.#credentials,
        link,
        tags: this.#tags,
      };
      await this.#runSessions(
        first,
        (media, followsStaleOffer) => new ViewerSession({ ...inputs, media, followsStaleOffer }),
      );
    } catch (error) {
      if (!this.#isStopping()) this.#fatal ??= asKvsBridgeError(error);
    }
    await this.#media?.stop({ drainTimeoutMs: 0 });
    this.#finish();
  }

  #throwIfFatal(): void {
    if (this.#fatal !== undefined) throw this.#fatal;
  }

  #isStopping(): boolean {
    return this.#stopRequest.signal.aborted;
  }

  /** Session after session, until stopped or something fatal. */
  async #runSessions(
    first: MediaSession,
    createSession: (media: MediaSession, followsStaleOffer: boolean) => ViewerSession,
  ): Promise<void> {
    const backoff = new Backoff({ minDelayMs: 1_000, maxDelayMs: 60_000 });
    let media = first;
    let isOfferStale = false;
    for (;;) {
      this.#throwIfFatal();
      const beganAtMs = performance.now();
      const session = createSession(media, isOfferStale);
      const error = await this.#runSession(session, media);
      this.#media = undefined;
      this.#tags.endSession();
      if (this.#isStopping()) return;
      this.#monitor.pause();
      const cause = this.#fatal ?? error;
      isOfferStale = cause === undefined && session.isOfferStale;
      if (isOfferStale) {
        // Nothing went wrong: it waits on, with a fresh offer.
        backoff.reset();
        media = await this.#createMedia();
        continue;
      }
      if (cause !== undefined && isFatal(cause)) throw cause;
      // What ended this session need not be what ends the next one, or the Bridge.
      this.#fatal = undefined;
      if (performance.now() - beganAtMs > stableSessionMs) backoff.reset();
      if (cause !== undefined) this.emit('warning', cause);
      this.#setState(BridgeState.reconnecting, cause?.message ?? 'the session ended');
      await sleep(backoff.nextDelayMs(), this.#stopRequest.signal);
      media = await this.#createMedia();
    }
  }

  async #createMedia(): Promise<MediaSession> {
    const media = await createMediaSession(this.#options.isolation, kvsSinkPlace(this.#options));
    this.#media = media;
    for (const tag of this.#tags.next) media.putMetadata(tag, { persistent: false });
    return media;
  }

  /** One session to its end. @returns why it ended, when nobody asked it to */
  async #runSession(
    session: ViewerSession,
    media: MediaSession,
  ): Promise<KvsBridgeError | undefined> {
    session.on('warning', (error) => this.emit('warning', error));
    session.on('step', (step) => {
      this.#step(step);
      if (step !== 'answer') return;
      clearTimeout(this.#masterDeadline);
      this.#totals.countSession();
      this.#setState(BridgeState.connecting);
    });
    this.#totals.begin();
    this.#listenToMedia(media);
    media.once('offer', () => {
      this.#setState(BridgeState.waiting);
      this.#running.resolve(undefined);
    });
    const closed = new Promise<MediaSessionEnd>((resolve) => media.once('closed', resolve));
    try {
      await session.start(this.#stopRequest.signal);
      this.#step('signaling');
      this.#limitWaiting();
    } catch (error) {
      await media.stop({ drainTimeoutMs: 0 });
      return asKvsBridgeError(error);
    }
    return (await closed).error;
  }

  /** Gives up when no master answers in time, over however many offers. */
  #limitWaiting(): void {
    const { masterTimeoutMs, channel } = this.#options;
    if (masterTimeoutMs === 0 || this.#steps.has('answer')) return;
    this.#masterDeadline ??= setTimeout(() => {
      if (this.#isStopping()) return;
      this.#fatal ??= new SignalingError(
        ErrorCode.noMaster,
        `No master answered on channel ${channel} within ${String(masterTimeoutMs / 1000)} s`,
        {
          fix: 'Start the master (camera or browser), or wait for it: leave --master-timeout out.',
        },
      );
      void this.#media?.stop({ drainTimeoutMs: 0 });
    }, masterTimeoutMs);
  }

  #listenToMedia(media: MediaSession): void {
    media.on('sink', (choice) => this.emit('sink', choice));
    media.on('track', (track) => {
      this.#step('media');
      if (this.#state === BridgeState.connecting) this.#setState(BridgeState.receiving);
      this.#monitor.expect();
      this.emit('track', track);
    });
    media.on('epoch', (epoch) => {
      this.#tags.beginFragments();
      this.emit('epoch', epoch);
    });
    media.on('upload', ({ state }) => {
      if (state === 'open') this.#step('uploading');
    });
    media.on('persisted', (fragment) => {
      this.#step('persisted');
      this.#monitor.onPersisted();
      const lagMs = Math.max(0, Date.now() - fragment.timecodeMs - fragment.durationMs);
      this.emit('persisted', { ...fragment, lagMs });
    });
    media.on('lost', (loss) => this.emit('lost', loss));
    media.on('gap', (gap) => this.emit('gap', gap));
    media.on('keyframeOverdue', (overdue) => this.emit('keyframeOverdue', overdue));
    media.on('totals', (totals) => {
      this.#totals.update(totals);
      this.emit('totals', this.#totals.read());
    });
    media.on('warning', (error) => this.emit('warning', error));
    media.on('uploadError', ({ error, fatal }) => {
      this.#monitor.explain(error.message);
      if (fatal) {
        this.#fatal ??= error;
        void media.stop({ drainTimeoutMs: 0 });
      } else {
        this.emit('warning', error);
      }
    });
    media.once('closed', ({ totals }) => {
      this.#totals.update(totals);
    });
  }

  #step(step: BridgeStep): void {
    if (this.#steps.has(step)) return;
    this.#steps.add(step);
    this.emit('step', { step, elapsedMs: Math.round(performance.now() - this.#startedAtMs) });
  }

  #setState(state: BridgeState, reason?: string): void {
    const previous = this.#state;
    // Once stopping, only `stopped` may follow.
    const over = previous === BridgeState.stopping || previous === BridgeState.stopped;
    if (state === previous || (over && state !== BridgeState.stopped)) return;
    this.#state = state;
    this.emit('state', { state, previous, ...(reason === undefined ? {} : { reason }) });
  }

  #finish(): void {
    this.#monitor.pause();
    clearTimeout(this.#masterDeadline);
    const end: BridgeEnd = {
      totals: this.#totals.read(),
      ...(this.#fatal === undefined ? {} : { error: this.#fatal }),
    };
    if (this.#fatal === undefined) this.#running.resolve(undefined);
    else this.#running.reject(this.#fatal);
    this.#setState(BridgeState.stopped, this.#fatal?.message);
    this.emit('stopped', end);
    this.#finished.resolve(end);
  }
}
