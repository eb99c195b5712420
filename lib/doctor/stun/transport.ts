/** Sends STUN requests and waits for their answers, over UDP, TCP or TLS. */
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { isIP, isIPv6, connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { abortable } from '../../util/abort.js';
import { decode, encode, messageBytes } from './message.js';
import type { StunMessage, StunRequest } from './message.js';

/** How a server is talked to. */
export type StunProtocol = 'tcp' | 'tls' | 'udp';

/** Where a server is. */
export interface StunServer {
  readonly protocol: StunProtocol;
  readonly host: string;
  /** An address of `host`. */
  readonly address: string;
  readonly port: number;
  /** PEM of the authority to trust. */
  readonly ca?: string | undefined;
}

/** A way to a server. */
export interface StunTransport extends Disposable {
  /** Resolves with the answer to this request; rejects when the way breaks or `signal` aborts. */
  ask(request: StunRequest, signal: AbortSignal): Promise<StunMessage>;
  /** Sends, and waits for nothing. */
  tell(request: StunRequest): void;
}

/** RFC 8489, 6.2.1: after 500 ms, then after twice as long each time. */
const firstRetryMs = 500;

/** More than any answer that we ask for. */
const maxMessageBytes = 4_096;

/** Opens a way to `server`; over TCP and TLS it is open when this resolves. */
export function openTransport(server: StunServer, signal: AbortSignal): Promise<StunTransport> {
  return server.protocol === 'udp'
    ? UdpTransport.open(server, signal)
    : StreamTransport.open(server, signal);
}

/** What waits for an answer. */
class Waiting {
  #id: Buffer | undefined;
  #resolve: (message: StunMessage) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #failure: Error | undefined;

  wait(id: Buffer, cleanUp: () => void, signal: AbortSignal): Promise<StunMessage> {
    return abortable<StunMessage>((resolve, reject) => {
      this.#id = id;
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#failure !== undefined) reject(this.#failure);
      return cleanUp;
    }, signal);
  }

  take(bytes: Buffer): void {
    const message = decode(bytes);
    if (message !== undefined && this.#id?.equals(message.transactionId) === true) {
      this.#resolve(message);
    }
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#reject(error);
  }
}

class UdpTransport implements StunTransport {
  readonly #socket: UdpSocket;
  readonly #waiting = new Waiting();

  private constructor(socket: UdpSocket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      this.#waiting.take(bytes);
    });
    socket.on('error', (error) => {
      this.#waiting.fail(error);
    });
  }

  /** A socket with a fixed peer: the kernel then tells of ports that nobody listens on. */
  static async open({ address, port }: StunServer, signal: AbortSignal): Promise<UdpTransport> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const transport = new UdpTransport(socket);
    await abortable<undefined>((resolve, reject) => {
      // Events: a callback would get the error in place of them.
      socket.once('connect', () => {
        resolve(undefined);
      });
      socket.once('error', reject);
      socket.connect(port, address);
      return () => undefined;
    }, signal).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    return transport;
  }

  ask(request: StunRequest, signal: AbortSignal): Promise<StunMessage> {
    let timer: NodeJS.Timeout | undefined;
    const sendAgain = (delayMs: number): void => {
      this.tell(request);
      timer = setTimeout(() => {
        sendAgain(2 * delayMs);
      }, delayMs);
    };
    sendAgain(firstRetryMs);
    return this.#waiting.wait(
      request.transactionId,
      () => {
        clearTimeout(timer);
      },
      signal,
    );
  }

  tell(request: StunRequest): void {
    this.#socket.send(encode(request), (error) => {
      if (error !== null) this.#waiting.fail(error);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

class StreamTransport implements StunTransport {
  readonly #socket: Socket;
  readonly #waiting = new Waiting();
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#take(bytes);
    });
    socket.on('error', (error) => {
      this.#waiting.fail(error);
    });
    socket.on('close', () => {
      this.#waiting.fail(new Error('the server closed the connection'));
    });
  }

  static async open(server: StunServer, signal: AbortSignal): Promise<StreamTransport> {
    const { protocol, host, address, port, ca } = server;
    const socket =
      protocol === 'tls'
        ? connectTls({
            ...{ host: address, port },
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(ca === undefined ? {} : { ca }),
          })
        : connectTcp({ host: address, port });
    await abortable<undefined>((resolve, reject) => {
      socket.once(protocol === 'tls' ? 'secureConnect' : 'connect', () => {
        resolve(undefined);
      });
      socket.on('error', reject);
      return () => undefined;
    }, signal).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    return new StreamTransport(socket);
  }

  ask(request: StunRequest, signal: AbortSignal): Promise<StunMessage> {
    this.tell(request);
    return this.#waiting.wait(request.transactionId, () => undefined, signal);
  }

  tell(request: StunRequest): void {
    this.#socket.write(encode(request));
  }

  [Symbol.dispose](): void {
    // What was told last may still be on its way.
    this.#socket.destroySoon();
  }

  /** A stream has no borders between messages but their lengths. */
  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const length = messageBytes(this.#received);
      if (length === undefined) return;
      if (length > maxMessageBytes) {
        this.#socket.destroy(new Error('the answer is no STUN message'));
        return;
      }
      if (this.#received.length < length) return;
      this.#waiting.take(this.#received.subarray(0, length));
      this.#received = this.#received.subarray(length);
    }
  }
}
