/** One peer's WebSocket: its limits, its timers, its end. */
import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import type { Role } from '../endpoints.js';
import type { SignalingLimits } from '../options.js';
import { noticeText, parseMessage, statusText } from './messages.js';
import type { PeerMessage, Refusal } from './messages.js';
import { TokenBucket } from './token-bucket.js';

/** Who is connected, and where. */
export interface Peer {
  readonly role: Role;
  /** undefined for the master */
  readonly clientId: string | undefined;
  readonly channelArn: string;
  readonly channelName: string;
}

/** Events of {@link SignalingConnection}. */
export interface SignalingConnectionEvents {
  message: [message: PeerMessage];
  closed: [];
}

/** Close codes; the real service documents none. */
const CloseCode = { normal: 1000, goingAway: 1001 } as const;
const closeTimeoutMs = 1000;

export class SignalingConnection extends EventEmitter<SignalingConnectionEvents> {
  readonly peer: Peer;
  readonly #socket: WebSocket;
  readonly #limits: SignalingLimits;
  readonly #sdpRate: TokenBucket;
  readonly #candidateRate: TokenBucket;
  readonly #timers = new Map<'close' | 'duration' | 'idle', NodeJS.Timeout>();
  #isSilent = false;

  constructor(peer: Peer, socket: WebSocket, limits: SignalingLimits) {
    super();
    this.peer = peer;
    this.#socket = socket;
    this.#limits = limits;
    this.#sdpRate = new TokenBucket(limits.sdpPerSecond);
    this.#candidateRate = new TokenBucket(limits.candidatesPerSecond);
    socket.on('message', this.#onMessage);
    // ws answers pings by itself; they only count as traffic here.
    socket.on('ping', this.#onTraffic);
    socket.on('pong', this.#onTraffic);
    // An error is always followed by 'close'.
    socket.on('error', () => undefined);
    socket.once('close', this.#onClose);
    this.#onTraffic();
    this.#start('duration', limits.connectionDurationMs, () => {
      this.goAway();
    });
  }

  /** Sends a text; a connection that is closing or silenced drops it. */
  send(text: string): void {
    if (this.#isSilent || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(text);
  }

  /** Announces the end, and keeps the word after the grace period. */
  goAway(): void {
    this.send(noticeText('GO_AWAY'));
    this.#start('duration', this.#limits.goAwayGraceMs, () => {
      this.close(CloseCode.goingAway, 'connection duration reached');
    });
  }

  /** Tells the peer to fetch its ICE servers anew. */
  reconnectIceServer(): void {
    this.send(noticeText('RECONNECT_ICE_SERVER'));
  }

  /** Refuses a message; without a correlation id nobody is told. */
  refuse(refusal: Refusal): void {
    if (refusal.correlationId !== undefined) this.send(statusText(refusal));
  }

  /** From now on nothing goes in or out, but the connection stays open. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Begins the closing handshake, and cuts the connection if the peer does not join in. */
  close(code: number = CloseCode.normal, reason = ''): void {
    this.#socket.close(code, reason);
    this.#start('close', closeTimeoutMs, () => {
      this.#socket.terminate();
    });
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#socket.terminate();
  }

  readonly #onTraffic = (): void => {
    this.#start('idle', this.#limits.idleTimeoutMs, () => {
      this.close(CloseCode.normal, 'idle');
    });
  };

  readonly #onMessage = (data: RawData, isBinary: boolean): void => {
    this.#onTraffic();
    if (this.#isSilent || isBinary) return;
    const parsed = parseMessage(textOf(data), this.#limits.maxPayloadLength);
    if ('refusal' in parsed) {
      if (parsed.refusal !== undefined) this.refuse(parsed.refusal);
      return;
    }
    const { message } = parsed;
    const rate = message.kind === 'ICE_CANDIDATE' ? this.#candidateRate : this.#sdpRate;
    if (rate.take()) {
      this.emit('message', message);
      return;
    }
    this.refuse({
      correlationId: message.correlationId,
      errorType: 'ClientLimitExceededException',
      statusCode: 400,
      description: `too many messages of type ${message.kind}`,
    });
  };

  readonly #onClose = (): void => {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.emit('closed');
  };

  #start(name: 'close' | 'duration' | 'idle', delayMs: number, run: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(run, delayMs).unref());
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
