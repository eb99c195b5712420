/** A signaling peer without a client library: a WebSocket whose URL AWS's own signer signs. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { WebSocket } from 'ws';
import { localCredentials } from '../../lib/local/index.js';

const deadlineMs = 10_000;

/** Options of {@link RawPeer.connect}. */
export interface RawPeerOptions {
  /** From GetSignalingChannelEndpoint. */
  readonly endpoint: string;
  readonly channelArn?: string | undefined;
  readonly clientId?: string | undefined;
  readonly secretAccessKey?: string;
  /** PEM to trust. */
  readonly ca?: string | undefined;
}

/** The service refused the connection. */
export class RefusedError extends Error {
  readonly status: number;
  readonly type: string;
  readonly date: string;

  constructor(response: IncomingMessage) {
    super(`refused with ${response.statusCode ?? 0}`);
    this.status = response.statusCode ?? 0;
    this.type = String(response.headers['x-amzn-errortype']);
    this.date = String(response.headers.date);
  }
}

/** A message of the service; all members are optional on the wire. */
export interface RawMessage {
  readonly messageType?: string;
  readonly messagePayload?: string;
  readonly senderClientId?: string;
  readonly statusResponse?: Readonly<Record<string, unknown>>;
}

export class RawPeer {
  readonly socket: WebSocket;
  readonly received: RawMessage[] = [];
  closeCode: number | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as RawMessage);
    });
    socket.once('close', (code) => {
      this.closeCode = code;
    });
  }

  /** @throws {@link RefusedError} */
  static async connect(options: RawPeerOptions): Promise<RawPeer> {
    const url = await sign(options);
    const socket = new WebSocket(url, options.ca === undefined ? {} : { ca: options.ca });
    const peer = new RawPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => {
        resolve();
      });
      socket.once('unexpected-response', (_, response) => {
        reject(new RefusedError(response));
        socket.terminate();
      });
      socket.once('error', reject);
    });
    return peer;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits until so many messages have come. */
  async messages(count: number): Promise<readonly RawMessage[]> {
    const signal = AbortSignal.timeout(deadlineMs);
    while (this.received.length < count) await once(this.socket, 'message', { signal });
    return this.received;
  }

  /** Everything that was sent before has been dealt with: the service answers pings in order. */
  async settled(): Promise<void> {
    const pong = once(this.socket, 'pong', { signal: AbortSignal.timeout(deadlineMs) });
    this.socket.ping();
    await pong;
  }

  /** Waits for the end. */
  async closed(): Promise<number> {
    if (this.closeCode === undefined) {
      await once(this.socket, 'close', { signal: AbortSignal.timeout(deadlineMs) });
    }
    return this.closeCode ?? 0;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed();
  }
}

async function sign(options: RawPeerOptions): Promise<string> {
  const { endpoint, channelArn, clientId, secretAccessKey } = options;
  const url = new URL(endpoint);
  const signer = new SignatureV4({
    credentials: {
      ...localCredentials,
      ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
    },
    region: 'us-east-1',
    service: 'kinesisvideo',
    sha256: Sha256,
  });
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      port: Number(url.port),
      path: url.pathname,
      query: {
        ...(channelArn === undefined ? {} : { 'X-Amz-ChannelARN': channelArn }),
        ...(clientId === undefined ? {} : { 'X-Amz-ClientId': clientId }),
      },
      headers: { host: url.host },
    },
    { expiresIn: 299 },
  );
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}
