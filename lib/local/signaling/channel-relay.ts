/** Passes messages between the master and the viewers of one channel. */
import { clientLimit } from '../http/service-error.js';
import type { SignalingLimits } from '../options.js';
import { SupersededConnections } from '../options.js';
import { Mailbox } from './mailbox.js';
import { deliveryText } from './messages.js';
import type { PeerMessage } from './messages.js';
import type { Peer, SignalingConnection } from './signaling-connection.js';
import { TokenBucket } from './token-bucket.js';

/** What may change while the channel lives. */
export interface ChannelSettings {
  readonly messageTtlSeconds: number;
  /** Then the service takes the media itself and relays nothing between the peers. */
  readonly isStorageEnabled: boolean;
}

/** Options of {@link ChannelRelay}. */
export interface ChannelRelayOptions {
  readonly limits: SignalingLimits;
  readonly superseded: SupersededConnections;
  readonly settings: () => ChannelSettings;
}

/** The master's key among the peers; a viewer's is its id, which is never empty. */
const masterKey = '';

export class ChannelRelay {
  readonly #options: ChannelRelayOptions;
  readonly #connects: TokenBucket;
  readonly #connections = new Map<string, SignalingConnection>();
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(options: ChannelRelayOptions) {
    this.#options = options;
    this.#connects = new TokenBucket(options.limits.connectsPerSecond);
  }

  get connections(): Iterable<SignalingConnection> {
    return this.#connections.values();
  }

  /** Whether nobody is connected and nothing waits. */
  get isIdle(): boolean {
    return this.#connections.size === 0 && this.#mailboxes.size === 0;
  }

  /** @throws ServiceError too many connects or viewers */
  admit({ clientId }: Pick<Peer, 'clientId'>): void {
    const { maxViewers, connectsPerSecond } = this.#options.limits;
    if (!this.#connects.take()) {
      throw clientLimit(`More than ${connectsPerSecond} connects per second to this channel.`);
    }
    if (clientId === undefined || this.#connections.has(clientId)) return;
    const viewers = [...this.#connections.keys()].filter((key) => key !== masterKey).length;
    if (viewers >= maxViewers) throw clientLimit(`More than ${maxViewers} viewers.`);
  }

  /** Takes a peer in: the newest master, and the newest viewer of an id, is the one that counts. */
  add(connection: SignalingConnection): void {
    const key = connection.peer.clientId ?? masterKey;
    const older = this.#connections.get(key);
    this.#connections.set(key, connection);
    if (older !== undefined) this.#supersede(older);
    connection.on('message', (message) => {
      this.#relay(connection, message);
    });
    connection.once('closed', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    const waiting = this.#mailboxes.get(key)?.takeAll(Date.now()) ?? [];
    this.#mailboxes.delete(key);
    for (const { text } of waiting) connection.send(text);
  }

  /** Drops messages past their time. */
  expire(nowMs: number): void {
    for (const [key, mailbox] of this.#mailboxes) {
      mailbox.expire(nowMs);
      if (mailbox.isEmpty) this.#mailboxes.delete(key);
    }
  }

  #supersede(connection: SignalingConnection): void {
    connection.silence();
    if (this.#options.superseded === SupersededConnections.close) {
      connection.close(undefined, 'replaced by a newer connection');
    }
  }

  #relay(connection: SignalingConnection, message: PeerMessage): void {
    const { clientId } = connection.peer;
    const settings = this.#options.settings();
    if (settings.isStorageEnabled) return;
    if (clientId !== undefined) {
      this.#deliver(masterKey, message, clientId, settings);
    } else if (message.recipientClientId !== undefined) {
      this.#deliver(message.recipientClientId, message, undefined, settings);
    } else {
      connection.refuse({
        correlationId: message.correlationId,
        errorType: 'InvalidArgumentException',
        statusCode: 400,
        description: 'recipientClientId is missing',
      });
    }
  }

  #deliver(
    key: string,
    { kind, payload }: PeerMessage,
    sender: string | undefined,
    { messageTtlSeconds }: ChannelSettings,
  ): void {
    const text = deliveryText(kind, payload, sender);
    const recipient = this.#connections.get(key);
    if (recipient !== undefined) {
      recipient.send(text);
      return;
    }
    let mailbox = this.#mailboxes.get(key);
    if (mailbox === undefined) this.#mailboxes.set(key, (mailbox = new Mailbox()));
    mailbox.put({ kind, text, sender, expiresAtMs: Date.now() + messageTtlSeconds * 1000 });
  }
}
