/** A bare WebSocket server in the place of KVS signaling: each test says what it answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { staticCredentials } from '../../lib/aws/credentials.js';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';
import { KvsBridgeError } from '../../lib/util/errors.js';

export const region = 'eu-central-1';
export const channelArn = `arn:aws:kinesisvideo:${region}:123456789012:channel/door/1551924009774`;
export const credentials = staticCredentials({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'SECRETKEY',
  sessionToken: 'SESSIONTOKEN',
});

/** What a test may change about a viewer. */
export interface ViewerOverrides {
  readonly endpoint?: URL;
  readonly connectTimeoutMs?: number;
  readonly pingIntervalMs?: number;
  readonly pongTimeoutMs?: number;
  readonly closeTimeoutMs?: number;
}

/** Listens on loopback; closes with every client it made. */
export class SignalingService implements AsyncDisposable {
  readonly server: Server = createServer();
  readonly relay = new WebSocketServer({ server: this.server });
  readonly #clients: SignalingClient[] = [];

  static async start(): Promise<SignalingService> {
    const service = new SignalingService();
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get endpoint(): URL {
    return endpointOf(this.server);
  }

  viewer(overrides: ViewerOverrides = {}): SignalingClient {
    const client = new SignalingClient({
      role: 'VIEWER',
      clientId: 'viewer-1',
      channelArn,
      endpoint: this.endpoint,
      region,
      credentials,
      ...overrides,
    });
    this.#clients.push(client);
    return client;
  }

  master(): SignalingClient {
    const { endpoint } = this;
    const client = new SignalingClient({
      role: 'MASTER',
      channelArn,
      endpoint,
      region,
      credentials,
    });
    this.#clients.push(client);
    return client;
  }

  /** Connects, and returns the service's side of it too. */
  async connect(client: SignalingClient): Promise<{ peer: WebSocket; url: URL }> {
    const connected = once(this.relay, 'connection');
    await client.connect();
    const [peer, request] = (await connected) as [WebSocket, IncomingMessage];
    return { peer, url: new URL(request.url ?? '', this.endpoint) };
  }

  /** From now on answers the upgrade request with plain HTTP. */
  refuse(status: string, headers: readonly string[], body: string): void {
    this.server.removeAllListeners('upgrade');
    this.server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      socket.end([`HTTP/1.1 ${status}`, 'connection: close', ...headers, '', body].join('\r\n'));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    for (const socket of this.relay.clients) socket.terminate();
    this.relay.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Where a listening server is reached over WebSocket. */
export function endpointOf(server: { address(): AddressInfo | string | null }): URL {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return new URL(`ws://127.0.0.1:${String(address.port)}`);
}

/** How messages carry SDPs and candidates. */
export function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

/** The next `count` messages that arrive at the service. */
export function received(peer: WebSocket, count: number): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  return new Promise((resolve) => {
    const onMessage = (data: RawData): void => {
      assert.ok(Buffer.isBuffer(data));
      messages.push(JSON.parse(data.toString('utf8')) as Record<string, unknown>);
      if (messages.length === count) {
        peer.off('message', onMessage);
        resolve(messages);
      }
    };
    peer.on('message', onMessage);
  });
}

/** Checks an error's code and words, and that no secret is anywhere in it. */
export function failsWith(code: string, ...words: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KvsBridgeError, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    assert.doesNotMatch(
      `${error.stack ?? ''}${String(error.cause)}${error.fix ?? ''}`,
      /SECRETKEY|SESSIONTOKEN|X-Amz-/,
    );
    return true;
  };
}
