/** One signaling connection to KVS, as Viewer or as Master. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import type { SignalingRole } from '../aws/control-plane.js';
import type { CredentialsSource } from '../aws/credentials.js';
import type { AwsCall } from '../aws/aws-errors.js';
import { awsClock } from '../aws/clock.js';
import { checkRegion, parseResource } from '../aws/resource-names.js';
import { ErrorCode, OptionsError, SignalingError, StateError } from '../util/errors.js';
import { redact } from '../util/redact.js';
import { HandshakeFailure, handshakeError, openWebSocket } from './handshake.js';
import { KeepAlive } from './keep-alive.js';
import { buildMessage, checkClientId, parseMessage } from './messages.js';
import type {
  CandidateMessage,
  IceCandidate,
  IgnoredMessage,
  OutboundMessage,
  SdpMessage,
  StatusResponse,
} from './messages.js';
import { Pacer } from './pacer.js';
import { presignSignalingUrl } from './presigned-url.js';

/** How a connection ended. */
export interface SignalingClosed {
  /** WebSocket close code; 1006 when the connection broke without one. */
  readonly code: number;
  /** Why, in the words of whoever closed it; may be empty. */
  readonly reason: string;
  /** Whether both sides agreed to close. */
  readonly wasClean: boolean;
}

/** Events of {@link SignalingClient}. None comes after `closed`. */
export interface SignalingEvents {
  /** A viewer offers (towards a master). */
  offer: [message: SdpMessage];
  /** The master answers (towards a viewer). */
  answer: [message: SdpMessage];
  /** A candidate from the other side; may come before the SDP it belongs to. */
  candidate: [message: CandidateMessage];
  /** The service closes this connection within a minute: connect anew, media goes on. */
  goAway: [];
  /** The TURN servers change: fetch the ICE servers anew. */
  reconnectIceServer: [];
  /** The service refused a message that was sent. */
  status: [response: StatusResponse];
  /** Something arrived that is not understood. */
  ignored: [message: IgnoredMessage];
  /** The connection is over, whoever ended it. Only after a successful `connect`, exactly once. */
  closed: [info: SignalingClosed];
}

/** What a Master and a Viewer have in common. */
interface CommonOptions {
  readonly channelArn: string;
  /** WSS endpoint of the role, from GetSignalingChannelEndpoint. */
  readonly endpoint: URL;
  readonly region: string;
  readonly credentials: CredentialsSource;
  /** PEM of the authority to trust at the endpoint, for a self-signed certificate. */
  readonly ca?: string;
  /** Bound of `connect`, credentials included, in ms. @defaultValue 10000 */
  readonly connectTimeoutMs?: number;
  /** Time between pings, in ms; the service drops what is idle for 10 min. @defaultValue 15000 */
  readonly pingIntervalMs?: number;
  /** A connection whose ping is not answered within this, in ms, is dead. @defaultValue 10000 */
  readonly pongTimeoutMs?: number;
  /** How long a closing handshake may take, whoever began it, in ms. @defaultValue 1000 */
  readonly closeTimeoutMs?: number;
}

/** Options of {@link SignalingClient}. */
export type SignalingClientOptions = CommonOptions &
  (
    | {
        readonly role: 'VIEWER';
        /** Unique among the viewers: a second one with the same id takes the first one's place. */
        readonly clientId: string;
      }
    | { readonly role: 'MASTER' }
  );

type State = 'closed' | 'closing' | 'connecting' | 'idle' | 'open';

/** Messages of one connection per second (KVS WebRTC quotas, data plane). */
const limits = { sdp: 5, candidate: 20 } as const;
const maxQueueLength = 1000;

/**
 * One instance is one connection. To connect again, make a new instance, also while the old one
 * still works: after `goAway`, open the next before closing this one. Attach listeners before
 * `connect`: the service may deliver what it kept with the first packet.
 *
 * Messages leave in the order of the calls, no faster than the service allows.
 */
export class SignalingClient extends EventEmitter<SignalingEvents> implements AsyncDisposable {
  readonly role: SignalingRole;
  readonly #options: CommonOptions;
  readonly #clientId: string | undefined;
  readonly #call: AwsCall;
  readonly #connecting = new AbortController();
  readonly #pacer = new Pacer<keyof typeof limits>({
    limits,
    send: (message) => this.#socket?.send(message),
  });
  #state: State = 'idle';
  #socket: WebSocket | undefined;
  #keepAlive: KeepAlive | undefined;
  #closing: Promise<void> | undefined;
  /** Why the connection broke, when that is known better than a close code tells. */
  #failure: string | undefined;

  /** @throws {@link OptionsError} for a client id, ARN or region that cannot be */
  constructor(options: SignalingClientOptions) {
    super();
    this.role = options.role;
    this.#options = options;
    this.#clientId = options.role === 'VIEWER' ? checkClientId(options.clientId) : undefined;
    const region = checkRegion(options.region);
    this.#call = {
      action: options.role === 'VIEWER' ? 'ConnectAsViewer' : 'ConnectAsMaster',
      region,
      host: options.endpoint.host,
      resource: parseResource('channel', options.channelArn, region),
    };
  }

  /**
   * Connects.
   *
   * @throws {@link StateError} when called twice or after `close`; {@link AwsError} for refused
   * credentials, permissions or an unknown channel; {@link SignalingError} for everything else;
   * the abort reason when aborted
   */
  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state !== 'idle') {
      throw new StateError(`A signaling client connects once; this one is ${this.#state}`, {
        fix: 'Make a new one for each connection.',
      });
    }
    this.#state = 'connecting';
    const { connectTimeoutMs = 10_000 } = this.#options;
    const onAbort = (): void => {
      this.#connecting.abort(signal?.reason);
    };
    const timer = setTimeout(() => {
      this.#connecting.abort(
        new SignalingError(
          ErrorCode.signaling,
          `No signaling connection to ${this.#call.host} within ${String(connectTimeoutMs)} ms`,
          { fix: 'Check DNS, proxy and firewall: outbound TCP 443 with WebSocket must pass.' },
        ),
      );
    }, connectTimeoutMs);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#open(this.#connecting.signal);
    } catch (error) {
      this.#state = 'closed';
      if (!(error instanceof HandshakeFailure)) throw error;
      // Keys that AWS refused must not be served from memory to the next attempt.
      if (error.failure.kind === 'credentials') this.#options.credentials.invalidate();
      throw handshakeError(error, this.#call);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Sends an offer to the master.
   *
   * @param correlationId - comes back in `status` when the service refuses it
   * @returns the correlation id
   * @throws {@link StateError} when not connected; {@link SignalingError} when it is too long
   */
  sendOffer(sdp: string, correlationId: string = randomUUID()): string {
    this.#requireRole('VIEWER', 'sendOffer');
    const payload = { type: 'offer', sdp } as const;
    return this.#send('sdp', { action: 'SDP_OFFER', payload, correlationId });
  }

  /** Sends an answer to a viewer; else like {@link sendOffer}. */
  sendAnswer(sdp: string, recipientClientId: string, correlationId: string = randomUUID()): string {
    this.#requireRole('MASTER', 'sendAnswer');
    const payload = { type: 'answer', sdp } as const;
    return this.#send('sdp', { action: 'SDP_ANSWER', payload, recipientClientId, correlationId });
  }

  /** Sends a candidate: from a viewer to the master, from a master to `recipientClientId`. */
  sendCandidate(candidate: IceCandidate, recipientClientId?: string): string {
    if ((recipientClientId !== undefined) !== (this.role === 'MASTER')) {
      throw new OptionsError(
        'recipientClientId',
        this.role === 'MASTER'
          ? 'A master has to say which viewer a candidate is for'
          : 'A viewer sends candidates to the master only',
      );
    }
    return this.#send('candidate', {
      action: 'ICE_CANDIDATE',
      payload: candidate,
      recipientClientId,
      correlationId: randomUUID(),
    });
  }

  /** Closes, and resolves when it is closed. What still waits to be sent is dropped. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Once more when the clock was wrong: it is corrected by then. */
  async #open(signal: AbortSignal): Promise<void> {
    const { offsetMs } = awsClock;
    try {
      await this.#openOnce(signal);
    } catch (error) {
      const isSkew = error instanceof HandshakeFailure && error.failure.kind === 'clockSkew';
      if (!isSkew || awsClock.offsetMs === offsetMs) throw error;
      await this.#openOnce(signal);
    }
  }

  async #openOnce(signal: AbortSignal): Promise<void> {
    const { endpoint, channelArn, region, credentials, ca, closeTimeoutMs = 1000 } = this.#options;
    const url = await presignSignalingUrl({
      endpoint,
      channelArn,
      clientId: this.#clientId,
      region,
      credentials: await credentials.get({ signal }),
    });
    await openWebSocket({
      url,
      call: this.#call,
      ca,
      closeTimeoutMs,
      signal,
      attach: (socket) => {
        this.#attach(socket);
      },
    });
  }

  #attach(socket: WebSocket): void {
    const { pingIntervalMs = 15_000, pongTimeoutMs = 10_000 } = this.#options;
    socket.once('open', () => {
      this.#state = 'open';
      this.#socket = socket;
      this.#keepAlive = new KeepAlive(socket, {
        pingIntervalMs,
        pongTimeoutMs,
        onDead: () => {
          this.#failure = `no answer to a ping within ${String(pongTimeoutMs)} ms`;
          socket.terminate();
        },
      });
    });
    socket.on('message', (data, isBinary) => {
      // ws gives a Buffer unless another binaryType is set.
      if (this.#state === 'open' && Buffer.isBuffer(data)) this.#deliver(data, isBinary);
    });
    socket.on('error', (error) => {
      this.#failure ??= redact(error.message);
    });
    socket.once('close', (code, reason) => {
      if (this.#socket === undefined) return;
      this.#state = 'closed';
      this.#keepAlive?.stop();
      this.#pacer.clear();
      this.emit('closed', {
        code,
        reason: this.#failure ?? redact(reason.toString('utf8')),
        wasClean: code !== 1006 && this.#failure === undefined,
      });
    });
  }

  #deliver(data: Buffer, isBinary: boolean): void {
    const message = parseMessage(data, isBinary);
    switch (message.type) {
      case 'offer':
      case 'answer':
        this.emit(message.type, message.body);
        break;
      case 'candidate':
        this.emit('candidate', message.body);
        break;
      case 'status':
        this.emit('status', message.body);
        break;
      case 'ignored':
        this.emit('ignored', message.body);
        break;
      case 'goAway':
      case 'reconnectIceServer':
        this.emit(message.type);
        break;
    }
  }

  #send(kind: keyof typeof limits, message: OutboundMessage): string {
    if (this.#state !== 'open') {
      throw new StateError(`Cannot send over a signaling connection that is ${this.#state}`);
    }
    if (message.recipientClientId !== undefined) checkRecipient(message.recipientClientId);
    const text = buildMessage(message);
    if (this.#pacer.length >= maxQueueLength) {
      throw new SignalingError(
        ErrorCode.signaling,
        `${String(maxQueueLength)} signaling messages already wait for the service's rate limits`,
        { fix: 'Send fewer: 5 SDPs and 20 candidates a second pass over one connection.' },
      );
    }
    this.#pacer.push(kind, text);
    return message.correlationId;
  }

  #requireRole(role: SignalingRole, method: string): void {
    if (this.role !== role) throw new StateError(`${method} is for a ${role.toLowerCase()}`);
  }

  async #close(): Promise<void> {
    if (this.#state === 'connecting') {
      this.#connecting.abort(new StateError('The signaling client was closed while connecting'));
    }
    const socket = this.#socket;
    if (socket === undefined || this.#state === 'closed') {
      this.#state = 'closed';
      return;
    }
    this.#state = 'closing';
    this.#pacer.clear();
    // Bounded by closeTimeoutMs: ws breaks the connection off then.
    const closed = new Promise<void>((resolve) => socket.once('close', resolve));
    socket.close(1000);
    await closed;
  }
}

/** Looser than for our own id: whatever name the service gave a viewer must be answerable. */
function checkRecipient(recipientClientId: string): void {
  if (/^[\x21-\x7e]{1,256}$/.test(recipientClientId)) return;
  throw new OptionsError('recipientClientId', 'The recipient is not a client id');
}
