/** Keeps a signaling connection at hand: opens one when it is needed and the last is gone. */
import { EventEmitter } from 'node:events';
import type { CredentialsSource } from '../aws/credentials.js';
import { getIceServers } from '../signaling/ice-servers.js';
import type { IceServers } from '../signaling/ice-servers.js';
import type { IceCandidate } from '../signaling/messages.js';
import { SignalingClient } from '../signaling/signaling-client.js';
import { SignalingError, ErrorCode } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { ResolvedOptions } from './options.js';
import type { Resources } from './resources.js';

interface SignalingLinkEvents {
  answer: [sdp: string];
  /** The master offers: it wants to change its tracks. */
  offer: [];
  candidate: [candidate: IceCandidate];
  /** The service refused a message, or said something unexpected. */
  warning: [error: KvsBridgeError];
  /** The connection is gone. Media does not depend on it. */
  closed: [];
}

/** The Viewer's signaling connection, over as many sockets as it takes. */
export class SignalingLink extends EventEmitter<SignalingLinkEvents> implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #resources: Resources;
  readonly #credentials: CredentialsSource;
  #client: SignalingClient | undefined;

  constructor(options: ResolvedOptions, resources: Resources, credentials: CredentialsSource) {
    super();
    this.#options = options;
    this.#resources = resources;
    this.#credentials = credentials;
  }

  /** Fresh STUN and TURN servers; TURN credentials live for five minutes. */
  iceServers(signal: AbortSignal): Promise<IceServers> {
    const { region, clientId, stunUri, ca } = this.#options;
    return getIceServers({
      endpoint: this.#resources.endpoints.https,
      channelArn: this.#resources.channelArn,
      clientId,
      region,
      credentials: this.#credentials,
      ...(stunUri === undefined ? {} : { stunUri }),
      ...(ca === undefined ? {} : { ca }),
      signal,
    });
  }

  /** Connects unless a connection stands. @throws a typed error when it cannot */
  async ensureConnected(signal: AbortSignal): Promise<void> {
    if (this.#client !== undefined) return;
    const client = new SignalingClient({
      role: 'VIEWER',
      clientId: this.#options.clientId,
      channelArn: this.#resources.channelArn,
      endpoint: this.#resources.endpoints.wss,
      region: this.#options.region,
      credentials: this.#credentials,
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    });
    this.#listen(client);
    await client.connect({ signal });
    this.#client = client;
  }

  /** Sends an offer; dropped when the connection is gone (the next session offers again). */
  sendOffer(sdp: string): void {
    this.#client?.sendOffer(sdp);
  }

  sendCandidate(candidate: IceCandidate): void {
    this.#client?.sendCandidate(candidate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  #listen(client: SignalingClient): void {
    client.on('answer', ({ sdp }) => {
      this.emit('answer', sdp);
    });
    client.on('offer', () => {
      this.emit('offer');
    });
    client.on('candidate', ({ candidate }) => {
      this.emit('candidate', candidate);
    });
    client.on('status', ({ errorType, statusCode, description }) => {
      const what = [statusCode, errorType, description].filter(Boolean).join(' ');
      this.emit(
        'warning',
        new SignalingError(ErrorCode.signaling, `The signaling service refused a message: ${what}`),
      );
    });
    client.on('closed', () => {
      if (this.#client === client) this.#client = undefined;
      this.emit('closed');
    });
  }
}
