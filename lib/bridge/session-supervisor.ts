/** Keeps a Bridge recording: session after session, until it is stopped. */
import { createMediaSession } from '../media/create-session.js';
import type { MediaSession, MediaSessionEnd } from '../media/media-session.js';
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { ErrorCode, SignalingError, StateError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { BridgeParts } from './bridge-parts.js';
import { BridgeState } from './events.js';
import { isFatal } from './fatal-codes.js';
import { reportMedia } from './media-report.js';
import { kvsSinkPlace } from './options.js';
import { findResources } from './resources.js';
import { SignalingLink } from './signaling-link.js';
import { ViewerSession } from './viewer-session.js';

/** A session that ran this long was a good one: the next failure starts at the shortest delay. */
const stableSessionMs = 10_000;

/** Runs the sessions of one Bridge. */
export class SessionSupervisor {
  readonly #parts: BridgeParts;
  readonly #onOffered: () => void;
  readonly #stopRequest = new AbortController();
  #media: MediaSession | undefined;
  #masterDeadline: NodeJS.Timeout | undefined;
  #fatal: KvsBridgeError | undefined;

  /** @param onOffered - told whenever an offer is out */
  constructor(parts: BridgeParts, onOffered: () => void) {
    this.#parts = parts;
    this.#onOffered = onOffered;
  }

  /** The present media session; undefined between two. */
  get media(): MediaSession | undefined {
    return this.#media;
  }

  /**
   * Runs until {@link stop}; to be called once.
   *
   * @throws {@link KvsBridgeError} what ended it, when it was not stopped
   */
  async run(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (!this.#isStopping()) this.#fatal ??= asKvsBridgeError(error);
    }
    await this.#media?.stop({ drainTimeoutMs: 0 });
    clearTimeout(this.#masterDeadline);
    this.#throwIfFatal();
  }

  /** Drains within `drainTimeoutMs`; {@link run} resolves then. Repeats have no effect. */
  stop(): void {
    if (this.#isStopping()) return;
    this.#stopRequest.abort(new StateError('The Bridge was stopped'));
    void this.#media?.stop({ drainTimeoutMs: this.#parts.options.drainTimeoutMs });
  }

  async #connect(): Promise<void> {
    const { options, credentials, events, steps, tags } = this.#parts;
    const { signal } = this.#stopRequest;
    // Loads while channel and stream are looked up.
    const first = await this.#createMedia();
    const resources = await findResources(options, credentials, signal, (error) =>
      events.emit('warning', error),
    );
    steps.made('resources');
    await using link = new SignalingLink(options, resources, credentials);
    link.on('warning', (error) => events.emit('warning', error));
    link.on('change', (change) => events.emit('signaling', change));
    link.open();
    const inputs = { options, resources, credentials, link, tags };
    await this.#runSessions(
      first,
      (media, followsStaleOffer) => new ViewerSession({ ...inputs, media, followsStaleOffer }),
    );
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
    const { events, machine, monitor, tags } = this.#parts;
    const backoff = new Backoff({ minDelayMs: 1_000, maxDelayMs: 60_000 });
    let media = first;
    let isOfferStale = false;
    for (;;) {
      this.#throwIfFatal();
      const beganAtMs = performance.now();
      const session = createSession(media, isOfferStale);
      const error = await this.#runSession(session, media);
      this.#media = undefined;
      tags.endSession();
      if (this.#isStopping()) return;
      monitor.pause();
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
      if (cause !== undefined) events.emit('warning', cause);
      machine.enter(BridgeState.reconnecting, cause?.message ?? 'the session ended');
      await sleep(backoff.nextDelayMs(), this.#stopRequest.signal);
      media = await this.#createMedia();
    }
  }

  async #createMedia(): Promise<MediaSession> {
    const { options, tags } = this.#parts;
    const media = await createMediaSession(options.isolation, kvsSinkPlace(options));
    this.#media = media;
    for (const tag of tags.next) media.putMetadata(tag, { persistent: false });
    return media;
  }

  /** One session to its end. @returns why it ended, when nobody asked it to */
  async #runSession(
    session: ViewerSession,
    media: MediaSession,
  ): Promise<KvsBridgeError | undefined> {
    const { events, machine, steps, totals } = this.#parts;
    session.on('warning', (error) => events.emit('warning', error));
    session.on('step', (step) => {
      steps.made(step);
      if (step !== 'answer') return;
      clearTimeout(this.#masterDeadline);
      totals.countSession();
      machine.enter(BridgeState.connecting);
    });
    totals.begin();
    this.#listenToMedia(media);
    const closed = new Promise<MediaSessionEnd>((resolve) => media.once('closed', resolve));
    try {
      await session.start(this.#stopRequest.signal);
      steps.made('signaling');
      this.#limitWaiting();
    } catch (error) {
      await media.stop({ drainTimeoutMs: 0 });
      return asKvsBridgeError(error);
    }
    return (await closed).error;
  }

  /** Gives up when no master answers in time, over however many offers. */
  #limitWaiting(): void {
    const { masterTimeoutMs, channel } = this.#parts.options;
    if (masterTimeoutMs === 0 || this.#parts.steps.has('answer')) return;
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
    const { events, machine, monitor } = this.#parts;
    reportMedia(media, this.#parts);
    media.once('offer', () => {
      machine.enter(BridgeState.waiting);
      this.#onOffered();
    });
    media.on('uploadError', ({ error, fatal }) => {
      monitor.explain(error.message);
      if (fatal) {
        this.#fatal ??= error;
        void media.stop({ drainTimeoutMs: 0 });
      } else {
        events.emit('warning', error);
      }
    });
  }
}
