/** A master that sends a test picture and tone to each viewer that offers. */
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { ControlPlane } from '../aws/control-plane.js';
import type { SignalingEndpoints } from '../aws/control-plane.js';
import { chainCredentials, staticCredentials } from '../aws/credentials.js';
import type { AwsCredentials, CredentialsSource } from '../aws/credentials.js';
import { loadNative } from '../media/native.js';
import type { NativePublisher } from '../media/native.js';
import { toNativeIceServers } from '../media/ice-servers.js';
import { getIceServers } from '../signaling/ice-servers.js';
import type { CandidateMessage, SdpMessage } from '../signaling/messages.js';
import { SignalingClient } from '../signaling/signaling-client.js';
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { deferred } from '../util/deferred.js';
import {
  AwsError,
  ErrorCode,
  SignalingError,
  StateError,
  asKvsBridgeError,
} from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { parseOptions, regionOf, rules } from '../util/options.js';
import { PublishedViewer } from './published-viewer.js';
import { firstFrameOf, senderSchema } from './sender-options.js';
import type { SenderOptions, SenderShape } from './sender-options.js';

/** What a {@link TestMaster} is made from. */
export interface TestMasterOptions extends SenderOptions {
  /** Name or ARN of the signaling channel to join. */
  readonly channel: string;
  /** AWS region of the channel. @defaultValue AWS_REGION, then AWS_DEFAULT_REGION */
  readonly region?: string;
  /** Control plane to use instead of AWS's, such as a local KVS: an http or https URL. */
  readonly endpoint?: string;
  /** PEM of the certificate authority to trust at `endpoint`. */
  readonly ca?: string;
  /** Fixed credentials. @defaultValue the ordinary AWS chain */
  readonly credentials?: AwsCredentials;
  /** Create the channel when it does not exist. @defaultValue false */
  readonly createChannel?: boolean;
  /** STUN server URI, or null for none. @defaultValue the region's KVS STUN server */
  readonly stunUri?: string | null;
}

/** Events of a {@link TestMaster}. */
export interface TestMasterEvents {
  /** Joined the channel; also after each reconnect. */
  connected: [];
  /** A viewer's connection changed. */
  viewer: [
    viewer: {
      readonly clientId: string;
      readonly state: 'offered' | 'connected' | 'closed';
      /** The number that the first picture shows; each one after it has the next. */
      readonly firstFrame: number;
      readonly framesSent: number;
    },
  ];
  /** Frames sent so far, to all viewers, about once a second. */
  framesSent: [frames: number];
  /** Something went wrong; the master goes on. */
  warning: [error: KvsBridgeError];
}

const schema = v.strictObject({
  channel: rules.text,
  region: v.exactOptional(rules.region),
  endpoint: v.exactOptional(rules.httpUrl),
  ca: v.exactOptional(rules.text),
  credentials: v.exactOptional(rules.credentials),
  createChannel: v.exactOptional(rules.flag, false),
  ...senderSchema,
  stunUri: v.exactOptional(v.nullable(rules.text)),
});

/** The `o=` line, which names a description for good (RFC 8866, section 5.2). */
function originOf(sdp: string): string {
  return /^o=.*$/m.exec(sdp)?.[0] ?? sdp;
}

/** A viewer whose session is closing may still be replaced by its next one. */
const maxViewers = 10;

/** Joins a channel as its master and publishes; comes back by itself when signaling is lost. */
export class TestMaster extends EventEmitter<TestMasterEvents> implements AsyncDisposable {
  readonly #options: v.InferOutput<typeof schema> & { readonly region: string };
  readonly #credentials: CredentialsSource;
  readonly #stopRequest = new AbortController();
  readonly #viewers = new Map<string, PublishedViewer>();
  /** What was asked for live, by kind: the latest of each. */
  readonly #controls = new Map<string, (publisher: NativePublisher) => void>();
  readonly #connected = deferred<undefined>();
  #running: Promise<void> | undefined;
  #client: SignalingClient | undefined;
  #finishedFramesSent = 0;
  #joined = false;

  /** @throws {@link OptionsError} that names the option, what was expected and the fix */
  constructor(options: TestMasterOptions) {
    super();
    const parsed = parseOptions(schema, options);
    this.#options = { ...parsed, region: regionOf(parsed.region) };
    this.#credentials =
      options.credentials === undefined
        ? chainCredentials({ region: this.#options.region })
        : staticCredentials(options.credentials);
    this.#connected.promise.catch(() => undefined);
  }

  /** Video frames sent so far, to all viewers. */
  get framesSent(): number {
    let sum = this.#finishedFramesSent;
    for (const viewer of this.#viewers.values()) sum += viewer.framesSent;
    return sum;
  }

  /** Keyframe requests (PLI and FIR) of the viewers that are connected. */
  get keyframeRequests(): number {
    return [...this.#viewers.values()].reduce((sum, viewer) => sum + viewer.keyframeRequests, 0);
  }

  /**
   * Sends a kind of media or not a packet of it, as a browser does whose sender's track is
   * replaced by null. It holds for viewers to come, too.
   */
  setSending({ video, audio }: { readonly video: boolean; readonly audio: boolean }): void {
    this.#control('sending', (publisher) => {
      publisher.setSending(video, audio);
    });
  }

  /**
   * Sends silence in place of the tone, as a browser whose microphone is muted. It holds for
   * viewers to come, too.
   */
  setMuted(muted: boolean): void {
    this.#control('muted', (publisher) => {
      publisher.setMuted(muted);
    });
  }

  /**
   * Changes the size of the picture on the same SSRC, at a keyframe; with width and height swapped
   * it turns as a phone does. It holds for viewers to come, too.
   *
   * @param width - in pixels, 480 to 3840
   * @param height - in pixels, 64 to 3840
   * @throws {@link MediaError} with code `KVSB_OPTIONS` for any other, once there is a viewer
   */
  setSize(width: number, height: number): void {
    this.#control('size', (publisher) => {
      publisher.setSize(width, height);
    });
  }

  /** Goes on with another video SSRC to each viewer that is there now, from a keyframe. */
  changeVideoSsrc(): void {
    for (const viewer of this.#viewers.values()) {
      viewer.control((publisher) => {
        publisher.changeVideoSsrc();
      });
    }
  }

  /** Joins the channel; resolves when viewers can offer. @throws {@link KvsBridgeError} */
  async start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#running !== undefined) throw new StateError('A test master starts once');
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    loadNative();
    this.#running = this.#run();
    await this.#connected.promise;
  }

  /** Leaves the channel and ends every viewer's stream. Any number of times. */
  async stop(): Promise<void> {
    this.#stopRequest.abort(new StateError('The test master was stopped'));
    await Promise.all([...this.#viewers.values()].map((viewer) => viewer.stop()));
    await this.#client?.close();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #control(name: string, apply: (publisher: NativePublisher) => void): void {
    this.#controls.set(name, apply);
    for (const viewer of this.#viewers.values()) viewer.control(apply);
  }

  async #run(): Promise<void> {
    const signal = this.#stopRequest.signal;
    // Nobody may wait for ever on a master that was stopped before it joined.
    signal.addEventListener('abort', () => {
      this.#connected.reject(asKvsBridgeError(signal.reason));
    });
    const backoff = new Backoff({ minDelayMs: 500, maxDelayMs: 30_000 });
    const onConnected = (): void => {
      this.#joined = true;
      backoff.reset();
      this.#connected.resolve(undefined);
      this.emit('connected');
    };
    while (!this.#isStopping()) {
      try {
        const { arn, endpoints } = await this.#findChannel(signal);
        await this.#serve(arn, endpoints, onConnected);
      } catch (error) {
        if (this.#isStopping()) return;
        // What fails at the start is the caller's to hear; later it is tried again.
        if (!this.#joined) {
          this.#connected.reject(asKvsBridgeError(error));
          return;
        }
        this.emit('warning', asKvsBridgeError(error));
      }
      await sleep(backoff.nextDelayMs(), signal).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopRequest.signal.aborted;
  }

  async #findChannel(
    signal: AbortSignal,
  ): Promise<{ readonly arn: string; readonly endpoints: SignalingEndpoints }> {
    const { channel, region, endpoint, ca, createChannel } = this.#options;
    await using controlPlane = new ControlPlane({
      region,
      credentials: this.#credentials,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(ca === undefined ? {} : { ca }),
    });
    const { arn } = await controlPlane
      .describeChannel(channel, { signal })
      .catch((error: unknown) => {
        const missing = error instanceof AwsError && error.code === ErrorCode.channelNotFound;
        if (!missing || !createChannel) throw error;
        return controlPlane.createChannel(channel, { signal });
      });
    return { arn, endpoints: await controlPlane.signalingEndpoints(arn, 'MASTER', { signal }) };
  }

  /** One signaling connection, from `onConnected` to its end. */
  async #serve(arn: string, endpoints: SignalingEndpoints, onConnected: () => void): Promise<void> {
    const signal = this.#stopRequest.signal;
    const { region, ca } = this.#options;
    const client = new SignalingClient({
      role: 'MASTER',
      channelArn: arn,
      endpoint: endpoints.wss,
      region,
      credentials: this.#credentials,
      ...(ca === undefined ? {} : { ca }),
    });
    const closed = new Promise<void>((resolve) => {
      client.once('closed', () => {
        resolve();
      });
    });
    client.on('offer', (offer) => void this.#onOffer(client, arn, endpoints, offer));
    client.on('candidate', (message) => {
      this.#onCandidate(message);
    });
    await client.connect({ signal });
    this.#client = client;
    onConnected();
    await closed;
  }

  async #onOffer(
    client: SignalingClient,
    channelArn: string,
    endpoints: SignalingEndpoints,
    { sdp, senderClientId }: SdpMessage,
  ): Promise<void> {
    if (senderClientId === undefined) return;
    const previous = this.#viewers.get(senderClientId);
    // The same offer again: the viewer repeats itself until it sees our answer.
    if (previous !== undefined && originOf(previous.offer) === originOf(sdp)) return;
    if (previous === undefined && this.#viewers.size >= maxViewers) {
      this.emit(
        'warning',
        new SignalingError(ErrorCode.signaling, 'An offer beyond ten viewers is ignored'),
      );
      return;
    }
    const { region, stunUri, ca, ...options } = this.#options;
    const viewer = new PublishedViewer(sdp);
    this.#viewers.set(senderClientId, viewer);
    void previous?.stop();
    this.#listen(viewer, senderClientId, client);
    try {
      const { servers } = await getIceServers({
        endpoint: endpoints.https,
        channelArn,
        region,
        credentials: this.#credentials,
        ...(stunUri === undefined ? {} : { stunUri }),
        ...(ca === undefined ? {} : { ca }),
        signal: this.#stopRequest.signal,
      });
      viewer.start({
        offer: sdp,
        iceServers: toNativeIceServers(servers),
        jitterBufferMs: 200,
        relayOnly: false,
        width: options.width,
        height: options.height,
        frameRate: options.frameRate,
        videoBitrateBps: options.videoBitrateBps,
        video: options.video,
        audio: options.audio,
        videoCodec: options.videoCodec,
        audioCodec: options.audioCodec,
        shape: this.#shape(),
      });
      viewer.control((publisher) => {
        for (const apply of this.#controls.values()) apply(publisher);
      });
    } catch (error) {
      if (!this.#stopRequest.signal.aborted) this.emit('warning', asKvsBridgeError(error));
      await viewer.stop();
    }
  }

  #shape(): SenderShape {
    const { shape, numberedSinceMs } = this.#options;
    if (numberedSinceMs === undefined) return shape;
    return { ...shape, firstFrame: firstFrameOf(numberedSinceMs, Date.now()) };
  }

  #onCandidate({ candidate, senderClientId }: CandidateMessage): void {
    if (senderClientId === undefined) return;
    this.#viewers
      .get(senderClientId)
      ?.addCandidate(candidate.candidate, candidate.sdpMLineIndex ?? 0);
  }

  #listen(viewer: PublishedViewer, clientId: string, client: SignalingClient): void {
    const tell = (state: 'offered' | 'connected' | 'closed'): void => {
      const { firstFrame, framesSent } = viewer;
      this.emit('viewer', { clientId, state, firstFrame, framesSent });
    };
    tell('offered');
    viewer.on('answer', (sdp) => client.sendAnswer(sdp, clientId));
    viewer.on('candidate', (candidate) => client.sendCandidate(candidate, clientId));
    viewer.once('connected', () => {
      tell('connected');
    });
    viewer.on('framesSent', () => this.emit('framesSent', this.framesSent));
    viewer.on('warning', (error) => this.emit('warning', error));
    viewer.once('closed', () => {
      this.#finishedFramesSent += viewer.framesSent;
      if (this.#viewers.get(clientId) === viewer) this.#viewers.delete(clientId);
      tell('closed');
    });
  }
}
