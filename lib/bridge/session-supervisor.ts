/** Keeps a Bridge recording: session after session, until it is stopped. */
import type { MediaSession } from '../media/media-session.js';
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { ErrorCode, SignalingError, StateError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { BridgeParts } from './bridge-parts.js';
import { BridgeState } from './events.js';
import { MediaPool } from './media-pool.js';
import { MasterMemory } from './master-memory.js';
import { reportMedia, reportStats } from './media-report.js';
import { isSlow, needsPerson, reasonOf } from './remedies.js';
import { findResources } from './resources.js';
import type { Resources } from './resources.js';
import { SignalingLink } from './signaling-link.js';
import { ViewerSession } from './viewer-session.js';

/** A session that ran this long was a good one: the next begins at once, delays start over. */
const stableSessionMs = 10_000;

/** A master that was here lately is offered anew within this time, in ms. */
const expectedDelayMs = 1_000;

/** Where sessions happen. */
interface Place {
  readonly link: SignalingLink;
  readonly resources: Resources;
}

/** How a session ended. */
interface SessionEnd {
  /** Why, when nobody asked it to. */
  readonly error?: KvsBridgeError;
  /** Nothing went wrong: nobody answered while its offer was good. */
  readonly isOfferStale: boolean;
  /** The master sent media: it is there, and what ended the session need not come again. */
  readonly hadMedia?: boolean;
}

/** Runs the sessions of one Bridge. */
export class SessionSupervisor {
  readonly #parts: BridgeParts;
  readonly #onOffered: () => void;
  readonly #pool: MediaPool;
  readonly #backoff: Backoff;
  readonly #memory = new MasterMemory();
  /** Aborts when it is to be over: stopped, or given up. */
  readonly #end = new AbortController();
  #error: KvsBridgeError | undefined;
  /** An offer has been out: it has worked once. */
  #hasOffered = false;
  #isOfferStale = false;
  /** Resolves when the session before leaves the stream to the next one. */
  #turn: Promise<void> = Promise.resolve();
  #masterDeadline: NodeJS.Timeout | undefined;

  /** @param onOffered - told whenever an offer is out */
  constructor(parts: BridgeParts, onOffered: () => void) {
    this.#parts = parts;
    this.#onOffered = onOffered;
    this.#pool = new MediaPool(parts);
    this.#backoff = new Backoff(parts.options.retry);
  }

  /** The present media session; undefined between two. */
  get media(): MediaSession | undefined {
    return this.#pool.present;
  }

  /**
   * Runs until {@link stop}; to be called once.
   *
   * @throws {@link KvsBridgeError} what ended it, when it was not stopped
   */
  async run(): Promise<void> {
    try {
      for (;;) {
        try {
          await this.#recordOnChannel();
        } catch (error) {
          await this.#outlive(error);
        }
      }
    } catch (error) {
      if (!this.#end.signal.aborted) this.#error = asKvsBridgeError(error);
    }
    clearTimeout(this.#masterDeadline);
    await this.#pool.stop(0);
    if (this.#error !== undefined) throw this.#error;
  }

  /** Drains within `drainTimeoutMs`; {@link run} resolves then. Repeats have no effect. */
  stop(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(new StateError('The Bridge was stopped'));
    void this.#pool.stop(this.#parts.options.drainTimeoutMs);
  }

  /** Ends every media session where it is; to be called after {@link stop}. */
  abandon(): void {
    this.#pool.kill();
  }

  /** Looks everything up and runs sessions; returns when it is time to look everything up again. */
  async #recordOnChannel(): Promise<void> {
    const { options, credentials, events, logs, monitor, steps, tags } = this.#parts;
    const { signal } = this.#end;
    // Loads while channel and stream are looked up.
    await this.#pool.next();
    const resources = await findResources(options, credentials, signal, (error) =>
      events.emit('warning', error),
    );
    const { channelArn, streamName, retentionHours } = resources;
    logs.aws.debug({ channelArn, streamName, retentionHours }, 'channel and stream are found');
    steps.made('resources');
    const foundAtMs = performance.now();
    await using link = new SignalingLink(options, resources, credentials, logs.signaling);
    link.on('warning', (error) => events.emit('warning', error));
    link.on('change', (change) => events.emit('signaling', change));
    link.open();
    for (;;) {
      const beganAtMs = performance.now();
      const { error, isOfferStale, hadMedia = false } = await this.#runSession({ link, resources });
      monitor.pause();
      tags.endSession();
      signal.throwIfAborted();
      this.#isOfferStale = isOfferStale;
      if (error !== undefined && needsPerson(error)) throw error;
      if (isOfferStale) {
        this.#backoff.reset();
        // The channel may be another by now, or record itself: then nobody ever answers.
        if (performance.now() - foundAtMs > options.retry.slowDelayMs) return;
      } else {
        if (hadMedia) this.#backoff.reset();
        await this.#pauseAfter(error, performance.now() - beganAtMs);
      }
    }
  }

  /** One session, until the next may begin: the media of this one perhaps still drains. */
  async #runSession(place: Place): Promise<SessionEnd> {
    const { credentials, hooks, ledger, options, steps, tags, totals } = this.#parts;
    const media = await this.#pool.next();
    this.#end.signal.throwIfAborted();
    const session = new ViewerSession({
      ...place,
      ...{ credentials, hooks, ledger, media, options, tags, memory: this.#memory },
      followsStaleOffer: this.#isOfferStale,
      turn: this.#turn,
    });
    const tally = totals.begin();
    reportMedia(media, tally, this.#parts);
    reportStats(media, this.#parts);
    this.#listen(session, media, () => {
      tally.countAnswer();
    });
    // One that never stored does not let the next pass the one before it.
    this.#turn = Promise.all([this.#turn, nextTurn(media)]).then(() => undefined);
    const ending = endOf(media);
    const starting = new AbortController();
    const abort = (): void => {
      starting.abort(new StateError('The session ended before it began'));
    };
    this.#end.signal.addEventListener('abort', abort);
    void ending.then(abort);
    try {
      await session.start(starting.signal);
      steps.made('signaling');
      this.#limitWaiting();
    } catch (reason) {
      // Of a media process that died meanwhile, its own words count.
      const { error = asKvsBridgeError(reason) } = await media.stop({ drainTimeoutMs: 0 });
      return { error, isOfferStale: false };
    } finally {
      this.#end.signal.removeEventListener('abort', abort);
    }
    const error = await ending;
    return error === undefined
      ? { isOfferStale: session.isOfferStale, hadMedia: session.hasMedia }
      : { error, isOfferStale: false, hadMedia: session.hasMedia };
  }

  #listen(session: ViewerSession, media: MediaSession, onAnswer: () => void): void {
    const { events, machine, monitor, options, steps } = this.#parts;
    session.on('warning', (error) => {
      if (needsPerson(error)) monitor.explain(error.message);
      events.emit('warning', error);
    });
    session.on('step', (step) => {
      steps.made(step);
      if (step !== 'answer') return;
      clearTimeout(this.#masterDeadline);
      onAnswer();
      machine.enter(BridgeState.connecting);
    });
    media.once('offer', () => {
      this.#hasOffered = true;
      machine.enter(BridgeState.waiting);
      this.#onOffered();
    });
    media.on('uploadError', ({ error, fatal }) => {
      if (fatal && options.exitOnFatal) this.#giveUp(error);
    });
  }

  /** After a session that ended by itself: at once when it was a good one. */
  async #pauseAfter(error: KvsBridgeError | undefined, ranMs: number): Promise<void> {
    const { events, machine } = this.#parts;
    if (error !== undefined) events.emit('warning', error);
    machine.enter(BridgeState.reconnecting, error?.message ?? 'the session ended', error?.code);
    if (ranMs >= stableSessionMs) this.#backoff.reset();
    else await sleep(this.#delayAfter(error), this.#end.signal);
  }

  #delayAfter(error: KvsBridgeError | undefined): number {
    const delayMs = this.#backoff.nextDelayMs();
    const isBack = error?.code === ErrorCode.peerLost && this.#memory.isExpected;
    return isBack ? Math.min(expectedDelayMs, delayMs) : delayMs;
  }

  /**
   * Waits until it is time to look everything up again.
   *
   * @throws what is not to be outlived
   */
  async #outlive(reason: unknown): Promise<void> {
    const { events, machine, options } = this.#parts;
    const { signal } = this.#end;
    signal.throwIfAborted();
    const error = asKvsBridgeError(reason);
    const isForPerson = needsPerson(error);
    if (isForPerson && (options.exitOnFatal || !this.#hasOffered)) throw error;
    events.emit('warning', error);
    const state = isForPerson ? BridgeState.degraded : BridgeState.reconnecting;
    machine.enter(state, reasonOf(error), error.code);
    const { slowDelayMs } = options.retry;
    // With jitter: many bridges may wait for the same person.
    const delayMs = isSlow(error)
      ? slowDelayMs * (0.75 + Math.random() / 4)
      : this.#backoff.nextDelayMs();
    await sleep(delayMs, signal);
  }

  /** Gives up when no master answers in time, over however many offers: it was asked to. */
  #limitWaiting(): void {
    const { masterTimeoutMs, channel } = this.#parts.options;
    if (masterTimeoutMs === 0 || this.#parts.steps.has('answer')) return;
    this.#masterDeadline ??= setTimeout(() => {
      this.#giveUp(
        new SignalingError(
          ErrorCode.noMaster,
          `No master answered on channel ${channel} within ${String(masterTimeoutMs / 1000)} s`,
          {
            fix: 'Start the master (camera or browser), or wait for it: leave --master-timeout out.',
          },
        ),
      );
    }, masterTimeoutMs);
  }

  #giveUp(error: KvsBridgeError): void {
    if (this.#end.signal.aborted) return;
    this.#error = error;
    this.#end.abort(error);
    void this.#pool.stop(0);
  }
}

/** Why a session ends, as soon as it begins to. */
function endOf(media: MediaSession): Promise<KvsBridgeError | undefined> {
  return new Promise((resolve) => {
    media.once('ending', ({ error }) => {
      resolve(error);
    });
    media.once('closed', ({ error }) => {
      resolve(error);
    });
  });
}

/** KVS takes one upload per stream: the next session's may begin now, or after this one's. */
function nextTurn(media: MediaSession): Promise<void> {
  return new Promise((resolve) => {
    media.once('ending', ({ mayOverlap }) => {
      if (mayOverlap) resolve();
    });
    media.once('closed', () => {
      resolve();
    });
  });
}
