/** The Bridge's side of signaling: what it says to the master, and what it hears. */
import { EventEmitter } from 'node:events';
import type { CredentialsSource } from '../aws/credentials.js';
import { getIceServers } from '../signaling/ice-servers.js';
import type { IceServers } from '../signaling/ice-servers.js';
import { LastingConnection } from '../signaling/lasting-connection.js';
import type { SignalingChange } from '../signaling/lasting-connection.js';
import type { IceCandidate } from '../signaling/messages.js';
import { SignalingClient } from '../signaling/signaling-client.js';
import { SignalingError, ErrorCode, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { ComponentLog } from '../util/log.js';
import type { ResolvedOptions } from './options.js';
import { needsPerson } from './remedies.js';
import type { Resources } from './resources.js';

interface SignalingLinkEvents {
  answer: [sdp: string];
  /** The master offers: it wants to change its tracks. */
  offer: [];
  candidate: [candidate: IceCandidate];
  /** The service takes its STUN and TURN servers away: {@link SignalingLink.iceServers} has others. */
  reconnectIceServer: [];
  /** The connection stands, was replaced or is gone. Media does not depend on it. */
  change: [change: SignalingChange];
  /** The service refused a connection or a message, or said something unexpected. */
  warning: [error: KvsBridgeError];
}

/** The Viewer's signaling, over as many connections as it takes, all with one client id. */
export class SignalingLink extends EventEmitter<SignalingLinkEvents> implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #resources: Resources;
  readonly #credentials: CredentialsSource;
  readonly #log: ComponentLog;
  readonly #connection: LastingConnection;

  constructor(
    options: ResolvedOptions,
    resources: Resources,
    credentials: CredentialsSource,
    log: ComponentLog,
  ) {
    super();
    this.#log = log;
    this.#options = options;
    this.#resources = resources;
    this.#credentials = credentials;
    this.#connection = new LastingConnection({
      createClient: () => this.#createClient(),
      rhythm: options.signaling,
    });
    this.#connection.on('change', (change) => this.emit('change', change));
    this.#connection.on('refused', (error) => this.emit('warning', error));
  }

  /** Begins to connect, and stays connected from then on. */
  open(): void {
    this.#connection.open();
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

  /**
   * Resolves as soon as a connection stands, however long that takes.
   *
   * @throws a typed error when an attempt shows that a person has to act; the abort reason
   */
  ready(signal: AbortSignal): Promise<void> {
    return this.#connection.ready(signal, needsPerson);
  }

  /** Sends an offer; dropped while there is no connection. */
  sendOffer(sdp: string): void {
    if (!this.#send((client) => client.sendOffer(sdp))) return;
    this.#log.debug({ bytes: sdp.length }, 'offer sent');
  }

  /** Sends a candidate; dropped while there is no connection. */
  sendCandidate(candidate: IceCandidate): void {
    if (!this.#send((client) => client.sendCandidate(candidate))) return;
    this.#log.trace(candidate, 'candidate sent');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  /** @returns whether it left */
  #send(send: (client: SignalingClient) => void): boolean {
    const client = this.#connection.current;
    if (client === undefined) return false;
    try {
      send(client);
      return true;
    } catch (error) {
      this.emit('warning', asKvsBridgeError(error));
      return false;
    }
  }

  #createClient(): SignalingClient {
    const client = new SignalingClient({
      role: 'VIEWER',
      clientId: this.#options.clientId,
      channelArn: this.#resources.channelArn,
      endpoint: this.#resources.endpoints.wss,
      region: this.#options.region,
      credentials: this.#credentials,
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    });
    client.on('answer', ({ sdp }) => {
      this.#log.debug({ bytes: sdp.length }, 'answer received');
      this.emit('answer', sdp);
    });
    client.on('offer', () => {
      this.emit('offer');
    });
    client.on('candidate', ({ candidate }) => {
      this.#log.trace(candidate, 'candidate received');
      this.emit('candidate', candidate);
    });
    client.on('reconnectIceServer', () => {
      this.#log.debug({}, 'the service takes its ICE servers away');
      this.emit('reconnectIceServer');
    });
    client.on('status', ({ errorType, statusCode, description }) => {
      const what = [statusCode, errorType, description].filter(Boolean).join(' ');
      this.emit(
        'warning',
        new SignalingError(ErrorCode.signaling, `The signaling service refused a message: ${what}`),
      );
    });
    return client;
  }
}
