/** A test master behind a network that loses packets. */
import { staticCredentials } from '../../lib/aws/credentials.js';
import type { NativePublisherOptions } from '../../lib/media/native.js';
import { PublishedViewer } from '../../lib/publisher/published-viewer.js';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';
import type { LocalStack } from '../support/local-stack.js';
import { LossyLink } from '../support/lossy-link.js';
import type { LinkConditions } from '../support/lossy-link.js';
import type { RunningSource } from './row.js';

const sent: Omit<NativePublisherOptions, 'offer'> = {
  iceServers: [],
  jitterBufferMs: 200,
  relayOnly: false,
  width: 640,
  height: 360,
  frameRate: 30,
  videoBitrateBps: 800_000,
  video: true,
  audio: true,
  videoCodec: 'h264',
  audioCodec: 'opus',
  shape: {},
};

/** What is lost is the same in every run; when, is not. */
const seed = 1;

/** One session with a viewer. */
interface Call {
  /** The `o=` line of its offer, which an offer that is repeated keeps. */
  readonly origin: string;
  readonly viewer: PublishedViewer;
  readonly link: LossyLink;
}

/** Answers one viewer after another, each of which knows the master by a link of its own alone. */
export class LossySource implements RunningSource {
  readonly #client: SignalingClient;
  readonly #conditions: LinkConditions;
  readonly #calls: Call[] = [];
  #answering: Promise<void> = Promise.resolve();

  private constructor(client: SignalingClient, conditions: LinkConditions) {
    this.#client = client;
    this.#conditions = conditions;
    client.on('offer', ({ sdp, senderClientId = '' }) => {
      this.#answering = this.#answering.then(() => this.#answer(sdp, senderClientId));
    });
    client.on('candidate', ({ candidate }) => {
      void this.#answering.then(() => {
        const call = this.#calls.at(-1);
        const replaced = call?.link.replaceCandidate('receiver', candidate.candidate);
        if (replaced !== undefined) {
          call?.viewer.addCandidate(replaced, candidate.sdpMLineIndex ?? 0);
        }
      });
    });
  }

  static async start(stack: LocalStack, conditions: LinkConditions): Promise<LossySource> {
    await using controlPlane = stack.controlPlane();
    const { wss } = await controlPlane.signalingEndpoints(stack.channelArn, 'MASTER');
    const client = new SignalingClient({
      role: 'MASTER',
      channelArn: stack.channelArn,
      endpoint: wss,
      region: stack.region,
      credentials: staticCredentials(stack.credentials),
    });
    const source = new LossySource(client, conditions);
    await client.connect();
    return source;
  }

  framesSent(): Promise<number> {
    return Promise.resolve(this.#calls.reduce((sum, { viewer }) => sum + viewer.framesSent, 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#answering;
    for (const { viewer, link } of this.#calls) {
      await viewer.stop();
      await link[Symbol.asyncDispose]();
    }
  }

  async #answer(offer: string, clientId: string): Promise<void> {
    const origin = /^o=.*$/m.exec(offer)?.[0] ?? '';
    const previous = this.#calls.at(-1);
    if (previous?.origin === origin) return;
    await previous?.viewer.stop();
    const viewer = new PublishedViewer(withoutCandidates(offer));
    const link = await LossyLink.open(seed);
    this.#calls.push({ origin, viewer, link });
    // Nothing is lost until the connection stands: that is another test's subject.
    link.set({ delayMs: this.#conditions.delayMs ?? 0 });
    viewer.on('answer', (sdp) => this.#client.sendAnswer(withoutCandidates(sdp), clientId));
    viewer.on('candidate', ({ candidate, sdpMLineIndex }) => {
      const replaced = link.replaceCandidate('publisher', candidate);
      if (replaced !== undefined) {
        this.#client.sendCandidate({ candidate: replaced, sdpMLineIndex }, clientId);
      }
    });
    viewer.on('connected', () => {
      link.set(this.#conditions);
    });
    viewer.start({ ...sent, offer: viewer.offer });
  }
}

/** Peers shall know each other by the link only. */
function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/^a=candidate:.*\r?\n/gm, '');
}
