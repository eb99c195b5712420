/** One session with a master: its signaling exchange and its media, from offer to end. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { CredentialsSource } from '../aws/credentials.js';
import type { MediaSession, MediaSessionOptions, SpoolPlace } from '../media/media-session.js';
import { toNativeIceServers } from '../media/ice-servers.js';
import type { SignalingChange } from '../signaling/lasting-connection.js';
import type { IceCandidate } from '../signaling/messages.js';
import { fragmentFolder } from '../spool/place.js';
import { abortable } from '../util/abort.js';
import { ErrorCode, SignalingError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { CredentialsKeeper } from './credentials-keeper.js';
import type { BridgeLedger } from './bridge-ledger.js';
import { sessionTagName } from './fragment-tags.js';
import type { FragmentTags } from './fragment-tags.js';
import type { Hooks, PlannedSession } from './hooks.js';
import type { MasterMemory } from './master-memory.js';
import type { ResolvedOptions } from './options.js';
import { withCandidates } from './repeated-offer.js';
import type { Resources } from './resources.js';
import type { SignalingLink } from './signaling-link.js';

/** The part of the TURN credentials' life after which a fresh offer is due: an answer takes time. */
const offerLifetimeShare = 0.8;

/** From a notice of new servers to a fresh offer, in ms: who sends notices without end gets few. */
const newServersDelayMs = 2_000;

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
  /** The session before ended with a stale offer, and that may still be answered. */
  readonly followsStaleOffer: boolean;
  readonly tags: FragmentTags;
  readonly memory: MasterMemory;
  readonly ledger: BridgeLedger;
  readonly hooks: Hooks;
  /** Resolves when this session may store: until then its media is not asked for. */
  readonly turn: Promise<void>;
}

/** Offers, answers for the master's side of the exchange, and runs the media until it ends. */
export class ViewerSession extends EventEmitter<ViewerSessionEvents> {
  readonly #inputs: ViewerSessionInputs;
  readonly #ended = new AbortController();
  readonly #localCandidates: IceCandidate[] = [];
  readonly #id = randomUUID();
  #offer: string | undefined;
  /** The offer goes out, with the candidates known by then, once signaling is connected. */
  #isOfferWaiting = false;
  #offeredAtMs = 0;
  #answered = false;
  #answeredAtMs = 0;
  /** Came behind the one that counts so far. */
  #spareAnswer: string | undefined;
  #connectedAtMs: number | undefined;
  #hasMedia = false;
  #hasVideo = false;
  #isOfferStale = false;
  #reoffer: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(inputs: ViewerSessionInputs) {
    super();
    this.#inputs = inputs;
  }

  /**
   * Whether it ended for a fresh offer, with fresh servers and candidates, and for no other reason:
   * nobody answered the one it had while that was good.
   */
  get isOfferStale(): boolean {
    return this.#isOfferStale;
  }

  /** Whether the master sent media. */
  get hasMedia(): boolean {
    return this.#hasMedia;
  }

  get #isConnected(): boolean {
    return this.#connectedAtMs !== undefined;
  }

  /** Fetches what is needed once signaling is connected, and starts the media: the offer follows. */
  async start(signal: AbortSignal): Promise<void> {
    const { link, credentials, hooks, media, options, turn } = this.#inputs;
    // Servers that were fetched before would age while signaling is away.
    await link.ready(signal);
    const keeper = new CredentialsKeeper({
      source: credentials,
      media,
      onFailure: (error) => this.emit('warning', error),
    });
    const [{ servers, ttlSeconds = Infinity }] = await Promise.all([
      link.iceServers(signal),
      keeper.begin(signal),
    ]);
    const plan = await hooks.beforeSession({ sessionId: this.#id, iceServers: servers }, signal);
    await abortable((resolve, reject) => {
      turn.then(resolve, reject);
      return () => undefined;
    }, signal);
    this.#connectSignaling(this.#inputs);
    this.#keepUp(media);
    this.#renewOfferAfter(
      Math.min(options.offerLifetimeMs, ttlSeconds * 1000 * offerLifetimeShare),
    );
    media.start(this.#mediaOptions(plan));
  }

  /** What goes on until the media ends: repeated offers. */
  #keepUp(media: MediaSession): void {
    this.#scheduleReoffer(0);
    const end = (): void => {
      this.#ended.abort();
      clearTimeout(this.#reoffer);
      clearTimeout(this.#renewal);
    };
    // What the master says from then on is for the next session.
    media.once('ending', (ending) => {
      end();
      this.#remember(ending.error);
    });
    media.once('closed', end);
  }

  /** What the next session should know of how this one ended. */
  #remember(error: KvsBridgeError | undefined): void {
    const { memory } = this.#inputs;
    if (this.#isConnected) memory.onSeen();
    else if (error?.code === ErrorCode.peerLost) memory.onNoConnection();
    if (error?.code === ErrorCode.noMedia) memory.onNoMedia(this.#hasMedia);
  }

  /** The first fragment tells why nothing was stored before it. */
  #tagGap(): void {
    const { ledger, media, tags } = this.#inputs;
    const cause = ledger.gapCause();
    const tag = cause === undefined ? undefined : tags.gapCause(cause);
    if (tag !== undefined) media.putMetadata(tag, { persistent: false });
  }

  #takeAnswer(sdp: string): void {
    this.#answered = true;
    this.#answeredAtMs = performance.now();
    this.#inputs.memory.onAnswer(this.#answeredAtMs - this.#offeredAtMs);
    this.#tagGap();
    this.#inputs.media.setAnswer(sdp);
    this.emit('step', 'answer');
  }

  /** It was rubbish and does not count: the offer stands, for the next answer or to be repeated. */
  #dropAnswer(): void {
    this.#answered = false;
    const next = this.#spareAnswer;
    this.#spareAnswer = undefined;
    if (next !== undefined) this.#takeAnswer(next);
  }

  /** Ends a session that still waits for its answer then: the next one offers anew. */
  #renewOfferAfter(delayMs: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => {
      if (!this.#answered) this.#endStale();
    }, delayMs);
  }

  #endStale(): void {
    this.#isOfferStale = true;
    void this.#inputs.media.stop({ drainTimeoutMs: 0 });
  }

  #mediaOptions(plan: PlannedSession): MediaSessionOptions {
    const { ledger, media, options, resources } = this.#inputs;
    return {
      ...ledger.mediaOptions(media),
      iceServers: toNativeIceServers(plan.iceServers),
      jitterBufferMs: options.jitterBufferMs,
      relayOnly: options.relayOnly,
      videoCodecs: options.videoCodecs,
      audio: options.audio,
      targetFragmentMs: options.fragmentTargetMs,
      connectMs: this.#inputs.memory.connectMs,
      firstMediaMs: this.#inputs.memory.firstMediaMs,
      silentVideoMs: this.#inputs.memory.silentVideoMs,
      memoryLimitBytes:
        options.mediaMemoryMb === 0 ? 0 : (options.mediaMemoryMb + options.bufferMb) * 1_000_000,
      ...(options.gstDebug === undefined ? {} : { gstDebug: options.gstDebug }),
      tags: [
        { name: sessionTagName, value: this.#id },
        ...this.#inputs.tags.persistentWith(plan.tags),
      ],
      upload: {
        dataEndpoint: resources.dataEndpoint.href,
        archiveEndpoint: resources.archiveEndpoint.href,
        streamName: resources.streamName,
        region: options.region,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        expectPersisted: true,
        bufferBytes: options.bufferMb * 1_000_000,
        maxAgeMs: options.uploadLifetimeMs,
        ...spoolOf(options, resources),
        sink: options.sink,
        kvssink: {
          retentionHours: resources.retentionHours,
          persistTimeoutMs: options.persistTimeoutMs,
          drainTimeoutMs: options.drainTimeoutMs,
        },
      },
    };
  }

  #connectSignaling({ media, link, options, followsStaleOffer }: ViewerSessionInputs): void {
    media.on('offer', (sdp) => {
      this.#offer = sdp;
      this.#sendOffer();
      this.emit('step', 'offer');
    });
    media.on('candidate', (candidate) => {
      this.#localCandidates.push(candidate);
      if (!this.#isOfferWaiting) link.sendCandidate(candidate);
    });
    media.on('connectionState', ({ connection }) => {
      if (connection !== 'connected') return;
      this.#connectedAtMs ??= performance.now();
      this.#inputs.memory.onConnected(this.#connectedAtMs - this.#answeredAtMs);
      this.emit('step', 'connected');
    });
    media.on('track', ({ kind }) => {
      this.#hasMedia = true;
      const { memory } = this.#inputs;
      memory.onMedia();
      if (kind !== 'video' || this.#hasVideo) return;
      this.#hasVideo = true;
      const nowMs = performance.now();
      memory.onVideo(nowMs - (this.#connectedAtMs ?? nowMs));
    });
    media.on('warning', ({ code }) => {
      if (code === ErrorCode.badPeerInput && !this.#isConnected) this.#dropAnswer();
    });
    const onAnswer = (sdp: string): void => {
      // Before there is an offer it can only be the answer to that of the session before.
      if (this.#isOfferStale || this.#offer === undefined) return;
      if (this.#answered) {
        // A master that answers twice answers an offer that was repeated: the first one counts,
        // unless it is rubbish. But the first one may be the late answer to the offer before, and
        // cannot work.
        if (followsStaleOffer && !this.#isConnected) this.#endStale();
        else this.#spareAnswer = sdp;
        return;
      }
      this.#takeAnswer(sdp);
    };
    const onCandidate = ({ candidate, sdpMLineIndex }: IceCandidate): void => {
      media.addCandidate(candidate, sdpMLineIndex ?? 0);
    };
    // In KVS the Viewer offers. A master that offers has other tracks than it answered with: it gets
    // a fresh offer to answer, by a new session.
    const onOffer = (): void => {
      if (!this.#isConnected) return;
      this.emit(
        'warning',
        new SignalingError(
          ErrorCode.signaling,
          'The master offers to change its tracks: a new session begins, with an offer for them',
        ),
      );
      void media.stop({ drainTimeoutMs: options.drainTimeoutMs });
    };
    const onReconnectIceServer = (): void => {
      if (!this.#answered) this.#renewOfferAfter(newServersDelayMs);
    };
    const onChange = this.#repeatCandidates.bind(this);
    link.on('answer', onAnswer);
    link.on('offer', onOffer);
    link.on('candidate', onCandidate);
    // Once: the next session begins with what is new by then.
    link.once('reconnectIceServer', onReconnectIceServer);
    link.on('change', onChange);
    this.#ended.signal.addEventListener('abort', () => {
      link.off('answer', onAnswer);
      link.off('offer', onOffer);
      link.off('candidate', onCandidate);
      link.off('reconnectIceServer', onReconnectIceServer);
      link.off('change', onChange);
    });
  }

  /**
   * What was sent over a connection that is gone may be lost with it. Candidates may come twice. An
   * offer may not, while the master perhaps answers it: that is repeated as always.
   */
  #repeatCandidates({ kind }: SignalingChange): void {
    if (kind === 'disconnected' || this.#isConnected || this.#isOfferWaiting) return;
    for (const candidate of this.#localCandidates) this.#inputs.link.sendCandidate(candidate);
    this.#scheduleReoffer(0);
  }

  #scheduleReoffer(repeats: number): void {
    clearTimeout(this.#reoffer);
    this.#reoffer = setTimeout(() => {
      if (!this.#answered) this.#sendOffer();
      this.#scheduleReoffer(repeats + 1);
    }, this.#inputs.memory.reofferDelayMs(repeats));
  }

  #sendOffer(): void {
    const { link } = this.#inputs;
    const offer = this.#offer;
    if (offer === undefined || this.#isOfferWaiting) return;
    this.#isOfferWaiting = true;
    link
      .ready(this.#ended.signal)
      .then(() => {
        if (this.#answered) return;
        link.sendOffer(withCandidates(offer, this.#localCandidates));
        this.#offeredAtMs = performance.now();
      })
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted) this.emit('warning', asKvsBridgeError(error));
      })
      .finally(() => {
        this.#isOfferWaiting = false;
      });
  }
}

/** Where media waits on disk, unless it is to wait in memory only. */
function spoolOf(
  { spoolDir, spoolMb, region }: ResolvedOptions,
  { streamName, dataEndpoint }: Resources,
): { readonly spool?: SpoolPlace } {
  if (spoolMb === 0) return {};
  const stream = { streamName, region, dataEndpoint: dataEndpoint.href };
  return { spool: { folder: fragmentFolder(spoolDir, stream), maxBytes: spoolMb * 1_000_000 } };
}
