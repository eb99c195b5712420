/** Lets peers in: reads and checks the upgrade request, then leaves them to their channel. */
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { findChannel } from '../control/lookup.js';
import type { ChannelRecord } from '../control/records.js';
import type { Registry } from '../control/registry.js';
import { rolePaths } from '../endpoints.js';
import type { Role } from '../endpoints.js';
import type { EmitLocalKvsEvent } from '../events.js';
import type { FaultPlan } from '../faults/fault-plan.js';
import { errorAnswer } from '../http/answer.js';
import { splitUrl } from '../http/canonical-request.js';
import {
  invalidArgument,
  resourceNotFound,
  ServiceError,
  serviceUnavailable,
} from '../http/service-error.js';
import type { SignatureVerifier } from '../http/signature.js';
import type { LocalKvsLogger, SignalingLimits, SupersededConnections } from '../options.js';
import { ChannelRelay } from './channel-relay.js';
import { SignalingConnection } from './signaling-connection.js';
import type { Peer } from './signaling-connection.js';

/** Options of {@link SignalingService}. */
export interface SignalingServiceOptions {
  readonly registry: Registry;
  readonly verifier: SignatureVerifier;
  readonly limits: SignalingLimits;
  readonly superseded: SupersededConnections;
  readonly faults: FaultPlan;
  readonly emit: EmitLocalKvsEvent;
  readonly logger: LocalKvsLogger | undefined;
}

/** Above every legal message; ws then closes with 1009. */
const maxFrameBytes = 128 * 1024;
const sweepIntervalMs = 10_000;
const clientIdPattern = /^(?!aws_)[a-zA-Z0-9_.-]{1,256}$/i;

export class SignalingService {
  readonly #options: SignalingServiceOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });
  readonly #relays = new Map<string, ChannelRelay>();
  /** Also those that a newer one superseded. */
  readonly #connections = new Set<SignalingConnection>();
  readonly #sweeper: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: SignalingServiceOptions) {
    this.#options = options;
    options.registry.on('channelDeleted', this.#onDeleted);
    this.#sweeper = setInterval(() => {
      this.#sweep();
    }, sweepIntervalMs).unref();
  }

  get connections(): Iterable<SignalingConnection> {
    return this.#connections;
  }

  /** Takes an upgrade request, or answers it with an error. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until ws takes the socket over, a peer that resets it must not end the process.
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    try {
      const { peer, relay } = this.#admit(request);
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off('error', ignore);
        const connection = new SignalingConnection(peer, webSocket, this.#options.limits);
        this.#track(connection);
        relay.add(connection);
      });
      this.#options.emit('request', { operation: operationOf(peer.role), status: 101 });
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  /** Closes every connection; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    this.#options.registry.off('channelDeleted', this.#onDeleted);
    const closed = [...this.#connections].map(
      async (connection) =>
        new Promise<void>((resolve) => {
          connection.once('closed', resolve);
          connection.close(1001, 'the server stops');
        }),
    );
    await Promise.all(closed);
    this.#server.close();
  }

  #admit(request: IncomingMessage): { peer: Peer; relay: ChannelRelay } {
    const { registry, verifier, faults } = this.#options;
    const { method = 'GET', url = '/', rawHeaders } = request;
    const { path, query } = splitUrl(url);
    const parameters = new Map(query);
    const clientId = parameters.get('X-Amz-ClientId');
    const role = roleOf(path, clientId);
    if (this.#isClosed) throw serviceUnavailable();
    faults.checkCall(operationOf(role));
    verifier.verify({ method, url, rawHeaders }, undefined);
    const channelArn = parameters.get('X-Amz-ChannelARN');
    if (channelArn === undefined) throw invalidArgument('X-Amz-ChannelARN is missing.');
    if (clientId !== undefined && !clientIdPattern.test(clientId)) {
      throw invalidArgument('X-Amz-ClientId is not valid.');
    }
    const channel = findChannel(registry, { ChannelARN: channelArn });
    const relay = this.#relayOf(channel);
    relay.admit({ clientId });
    return { peer: { role, clientId, channelArn, channelName: channel.name }, relay };
  }

  #relayOf({ arn }: ChannelRecord): ChannelRelay {
    let relay = this.#relays.get(arn);
    if (relay === undefined) {
      const { registry, limits, superseded } = this.#options;
      relay = new ChannelRelay({
        limits,
        superseded,
        settings: () => {
          const channel = registry.channelByArn(arn);
          return {
            messageTtlSeconds: channel?.messageTtlSeconds ?? 0,
            isStorageEnabled: channel?.storage.status === 'ENABLED',
          };
        },
      });
      this.#relays.set(arn, relay);
    }
    return relay;
  }

  #track(connection: SignalingConnection): void {
    const { role, clientId, channelName } = connection.peer;
    const { emit } = this.#options;
    this.#connections.add(connection);
    emit('signaling', { kind: 'connected', channelName, role, clientId });
    connection.once('closed', () => {
      this.#connections.delete(connection);
      emit('signaling', { kind: 'disconnected', channelName, role, clientId });
    });
  }

  #refuse(socket: Duplex, error: unknown): void {
    const { emit, faults, logger } = this.#options;
    if (!(error instanceof ServiceError)) {
      logger?.warn({ error: String(error) }, 'a signaling connection failed');
    }
    const known =
      error instanceof ServiceError
        ? error
        : new ServiceError('InternalFailure', 500, 'An internal error occurred.');
    const { headers, body } = errorAnswer(known);
    const lines = Object.entries({
      ...headers,
      Date: faults.now().toUTCString(),
      Connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status] ?? ''}\r\n${lines.join('')}\r\n${body}`,
    );
    emit('request', { operation: 'Connect', status: known.status, errorType: known.type });
  }

  readonly #onDeleted = ({ arn }: ChannelRecord): void => {
    this.#relays.delete(arn);
    for (const connection of this.#connections) {
      if (connection.peer.channelArn === arn) connection.close(1000, 'the channel was deleted');
    }
  };

  #sweep(): void {
    const nowMs = Date.now();
    for (const [arn, relay] of this.#relays) {
      relay.expire(nowMs);
      if (relay.isIdle) this.#relays.delete(arn);
    }
  }
}

function operationOf(role: Role): string {
  return role === 'MASTER' ? 'ConnectAsMaster' : 'ConnectAsViewer';
}

/** By the endpoint that was given out; on the bare address, by who has an id. */
function roleOf(path: string, clientId: string | undefined): Role {
  const isViewer = clientId !== undefined;
  switch (path.replace(/\/$/, '')) {
    case '':
      return isViewer ? 'VIEWER' : 'MASTER';
    case rolePaths.MASTER:
      if (isViewer) throw invalidArgument('A master has no X-Amz-ClientId.');
      return 'MASTER';
    case rolePaths.VIEWER:
      if (!isViewer) throw invalidArgument('X-Amz-ClientId is missing.');
      return 'VIEWER';
    default:
      throw resourceNotFound(`There is nothing at ${path}.`);
  }
}
