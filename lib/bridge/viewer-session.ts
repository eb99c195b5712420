/** One session with a master: its signaling exchange and its media, from offer to end. */
import { EventEmitter } from 'node:events';
import type { CredentialsSource } from '../aws/credentials.js';
import type { MediaSession, MediaSessionOptions } from '../media/media-session.js';
import { toNativeIceServers } from '../media/ice-servers.js';
import type { IceServer } from '../signaling/ice-servers.js';
import type { IceCandidate } from '../signaling/messages.js';
import { abortable } from '../util/abort.js';
import { ErrorCode, SignalingError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { ResolvedOptions } from './options.js';
import { withCandidates } from './repeated-offer.js';
import type { Resources } from './resources.js';
import type { SignalingLink } from './signaling-link.js';

/**
 * When an offer without an answer is repeated; the last delay repeats. The service keeps an offer
 * that it could not deliver for 60 s (MessageTtlSeconds), so a master that comes finds one at once;
 * the early repeats are for one that was delivered to a master that was about to go.
 */
const reofferDelaysMs = [5_000, 10_000, 25_000] as const;

/** TURN credentials live for 300 s: an offer older than this needs fresh ones. */
const offerLifetimeMs = 240_000;

/** How often credentials are checked for having been rotated. */
const credentialsCheckMs = 60_000;

interface ViewerSessionEvents {
  step: [step: 'offer' | 'answer' | 'connected'];
  warning: [error: KvsBridgeError];
}

/** What a session is made from. */
export interface ViewerSessionInputs {
  /** Not started yet; its events tell everything about the media. */
  readonly media: MediaSession;
  readonly options: ResolvedOptions;
  readonly resources: Resources;
  readonly credentials: CredentialsSource;
  readonly link: SignalingLink;
}

/** Offers, answers for the master's side of the exchange, and runs the media until it ends. */
export class ViewerSession extends EventEmitter<ViewerSessionEvents> {
  readonly #inputs: ViewerSessionInputs;
  readonly #ended = new AbortController();
  readonly #localCandidates: IceCandidate[] = [];
  #offer: string | undefined;
  #answered = false;
  #connected = false;
  #reoffer: NodeJS.Timeout | undefined;

  constructor(inputs: ViewerSessionInputs) {
    super();
    this.#inputs = inputs;
  }

  /** Connects, fetches what is needed, and starts the media: the offer follows. */
  async start(signal: AbortSignal): Promise<void> {
    const { link, credentials, media } = this.#inputs;
    const [{ servers }, keys] = await Promise.all([
      link.iceServers(signal),
      credentials.get({ signal }),
      link.ensureConnected(signal),
    ]);
    this.#connectSignaling(this.#inputs);
    this.#keepUp(media);
    media.setCredentials(keys);
    media.start(this.#mediaOptions(servers));
  }

  /** What goes on until the media ends: fresh credentials, repeated offers. */
  #keepUp(media: MediaSession): void {
    const keepCredentials = setInterval(
      () => void this.#renewCredentials(media),
      credentialsCheckMs,
    );
    const expire = setTimeout(() => {
      if (!this.#answered) void media.stop({ drainTimeoutMs: 0 });
    }, offerLifetimeMs);
    this.#scheduleReoffer(0);
    media.on('credentialsRefused', () => {
      this.#inputs.credentials.invalidate();
      void this.#renewCredentials(media);
    });
    media.once('closed', () => {
      this.#ended.abort();
      clearInterval(keepCredentials);
      clearTimeout(this.#reoffer);
      clearTimeout(expire);
    });
  }

  /** Resolves when a master answered. @throws when the session ends before, or on abort */
  answered(signal: AbortSignal): Promise<void> {
    return abortable((resolve, reject) => {
      const onStep = (step: string): void => {
        if (step === 'answer') resolve();
      };
      const onEnd = (): void => {
        reject(
          new SignalingError(ErrorCode.noMaster, 'The session ended before a master answered'),
        );
      };
      this.on('step', onStep);
      this.#ended.signal.addEventListener('abort', onEnd, { once: true });
      return () => {
        this.off('step', onStep);
        this.#ended.signal.removeEventListener('abort', onEnd);
      };
    }, signal);
  }

  #mediaOptions(servers: readonly IceServer[]): MediaSessionOptions {
    const { options, resources } = this.#inputs;
    return {
      iceServers: toNativeIceServers(servers),
      jitterBufferMs: options.jitterBufferMs,
      relayOnly: options.relayOnly,
      audio: options.audio,
      targetFragmentMs: options.fragmentTargetMs,
      upload: {
        dataEndpoint: resources.dataEndpoint.href,
        archiveEndpoint: resources.archiveEndpoint.href,
        streamName: resources.streamName,
        region: options.region,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        expectPersisted: true,
        bufferBytes: options.bufferMb * 1_000_000,
      },
    };
  }

  #connectSignaling({ media, link, options }: ViewerSessionInputs): void {
    media.on('offer', (sdp) => {
      this.#offer = sdp;
      this.#sendOffer(sdp);
      this.emit('step', 'offer');
    });
    media.on('candidate', (candidate) => {
      this.#localCandidates.push(candidate);
      link.sendCandidate(candidate);
    });
    media.on('connectionState', ({ connection }) => {
      if (connection !== 'connected') return;
      this.#connected = true;
      this.emit('step', 'connected');
    });
    media.on('warning', ({ code }) => {
      // Rubbish does not count as an answer: the offer stands, and is repeated.
      if (code === ErrorCode.badPeerInput && !this.#connected) this.#answered = false;
    });
    const onAnswer = (sdp: string): void => {
      // A master that answers twice answers an offer that was repeated: the first one counts.
      if (this.#answered) return;
      this.#answered = true;
      media.setAnswer(sdp);
      this.emit('step', 'answer');
    };
    const onCandidate = ({ candidate, sdpMLineIndex }: IceCandidate): void => {
      media.addCandidate(candidate, sdpMLineIndex ?? 0);
    };
    // In KVS the Viewer offers. A master that offers has other tracks than it answered with: it gets
    // a fresh offer to answer, by a new session.
    const onOffer = (): void => {
      if (!this.#connected) return;
      this.emit(
        'warning',
        new SignalingError(
          ErrorCode.signaling,
          'The master offers to change its tracks: a new session begins, with an offer for them',
        ),
      );
      void media.stop({ drainTimeoutMs: options.drainTimeoutMs });
    };
    link.on('answer', onAnswer);
    link.on('offer', onOffer);
    link.on('candidate', onCandidate);
    this.#ended.signal.addEventListener('abort', () => {
      link.off('answer', onAnswer);
      link.off('offer', onOffer);
      link.off('candidate', onCandidate);
    });
  }

  #scheduleReoffer(repeats: number): void {
    const delayMs = reofferDelaysMs[Math.min(repeats, reofferDelaysMs.length - 1)];
    this.#reoffer = setTimeout(() => {
      if (!this.#answered && this.#offer !== undefined) {
        this.#sendOffer(withCandidates(this.#offer, this.#localCandidates));
      }
      this.#scheduleReoffer(repeats + 1);
    }, delayMs);
  }

  #sendOffer(offer: string): void {
    const { link } = this.#inputs;
    link
      .ensureConnected(this.#ended.signal)
      .then(() => {
        link.sendOffer(offer);
      })
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted) this.emit('warning', asKvsBridgeError(error));
      });
  }

  async #renewCredentials(media: MediaSession): Promise<void> {
    try {
      media.setCredentials(await this.#inputs.credentials.get({ signal: this.#ended.signal }));
    } catch (error) {
      if (!this.#ended.signal.aborted) this.emit('warning', asKvsBridgeError(error));
    }
  }
}
