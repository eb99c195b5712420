/** A viewer's place on a channel, kept over as many connections as that takes. */
import { EventEmitter } from 'node:events';
import { abortable, sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { deferred } from '../util/deferred.js';
import { ErrorCode, SignalingError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import type { SignalingClient, SignalingClosed } from './signaling-client.js';

/** When connections are made, in ms. */
export interface SignalingRhythm {
  /**
   * Age at which a connection is replaced at the latest; a random part of a tenth of it is taken
   * off. KVS ends a connection after 1 h (KVS WebRTC quotas). @defaultValue 55 min
   */
  readonly lifetimeMs: number;
  /** Upper bound of the first delay before a connection is made anew. @defaultValue 1000 */
  readonly minDelayMs: number;
  /** Upper bound of every such delay. @defaultValue 60000 */
  readonly maxDelayMs: number;
  /** A connection that lasted this long was a good one: delays start over. @defaultValue 10000 */
  readonly stableMs: number;
  /** How long one that was replaced is still listened to. @defaultValue 2000 */
  readonly overlapMs: number;
}

/** {@link SignalingRhythm} when nothing is said. */
const defaultSignalingRhythm: SignalingRhythm = {
  lifetimeMs: 55 * 60_000,
  minDelayMs: 1_000,
  maxDelayMs: 60_000,
  stableMs: 10_000,
  overlapMs: 2_000,
};

/** What became of the connection. */
export interface SignalingChange {
  /**
   * `connected`: there was none, now there is. `replaced`: a new one took over without a break.
   * `disconnected`: it is gone, and the next is being made.
   */
  readonly kind: 'connected' | 'disconnected' | 'replaced';
  /** Why; absent when there was no connection before. */
  readonly reason?: string;
}

/** Events of {@link LastingConnection}. */
export interface LastingConnectionEvents {
  change: [change: SignalingChange];
  /** An attempt to connect failed; the next one follows. */
  refused: [error: KvsBridgeError];
}

/** Options of {@link LastingConnection}. */
export interface LastingConnectionOptions {
  /** Makes a client that is not connected, with whatever listens to its messages attached. */
  readonly createClient: () => SignalingClient;
  readonly rhythm?: Partial<SignalingRhythm>;
  /** Source of randomness in [0, 1). @defaultValue Math.random */
  readonly random?: () => number;
}

/** Why a connection needs a successor. */
interface Need {
  readonly reason: string;
  /** It is gone; otherwise it works until the successor does. */
  readonly isLost: boolean;
}

/**
 * Connects, and connects again: before the hour ends and after GO_AWAY while the old connection
 * still works, after a loss with exponential backoff and full jitter. KVS lets the newest connection
 * of a client id take the place of the older one, so the old one may go at any moment from then on;
 * what still arrives on it counts.
 */
export class LastingConnection
  extends EventEmitter<LastingConnectionEvents>
  implements AsyncDisposable
{
  readonly #createClient: () => SignalingClient;
  readonly #rhythm: SignalingRhythm;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #end = new AbortController();
  /** All that are not closed: the current one, its successor, those that were replaced. */
  readonly #clients = new Set<SignalingClient>();
  #current: SignalingClient | undefined;
  #isConnecting = false;
  /** What the last `change` said. */
  #isUp = false;
  /** Why the current one went while its successor was connecting. */
  #lossReason = '';
  #keeping: Promise<void> | undefined;

  constructor({ createClient, rhythm, random = Math.random }: LastingConnectionOptions) {
    super();
    this.#createClient = createClient;
    this.#rhythm = { ...defaultSignalingRhythm, ...rhythm };
    this.#random = random;
    this.#backoff = new Backoff({ ...this.#rhythm, random });
  }

  /** The connection to send over; undefined while there is none. */
  get current(): SignalingClient | undefined {
    return this.#current;
  }

  /** Begins; again is fine. */
  open(): void {
    this.#keeping ??= this.#keep().catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.emit('refused', asKvsBridgeError(error));
    });
  }

  /**
   * Resolves as soon as a connection stands.
   *
   * @param isFinal - of the errors of failed attempts, those not to wait beyond
   * @throws the first such error; the abort reason when aborted
   */
  async ready(signal: AbortSignal, isFinal: (error: KvsBridgeError) => boolean): Promise<void> {
    if (this.#current !== undefined) return;
    await abortable<undefined>((resolve, reject) => {
      const onChange = (): void => {
        if (this.#current !== undefined) resolve(undefined);
      };
      const onRefused = (error: KvsBridgeError): void => {
        if (isFinal(error)) reject(error);
      };
      this.on('change', onChange);
      this.on('refused', onRefused);
      return () => {
        this.off('change', onChange);
        this.off('refused', onRefused);
      };
    }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#current = undefined;
    await Promise.all([...this.#clients].map((client) => client.close()));
    await this.#keeping;
  }

  /** Connection after connection, until disposed. */
  async #keep(): Promise<void> {
    const { signal } = this.#end;
    const { lifetimeMs, stableMs } = this.#rhythm;
    let reason: string | undefined;
    let delayMs = 0;
    for (;;) {
      await sleep(delayMs, signal);
      const needed = deferred<Need>();
      const client = await this.#connect(needed.resolve);
      signal.throwIfAborted();
      if (client === undefined) {
        delayMs = this.#backoff.nextDelayMs();
        continue;
      }
      const beganAtMs = performance.now();
      this.#take(client, reason);
      const lifetime = setTimeout(
        () => {
          needed.resolve({ reason: 'its hour is nearly over', isLost: false });
        },
        lifetimeMs * (1 - this.#random() / 10),
      );
      const need = await needed.promise;
      clearTimeout(lifetime);
      reason = need.reason;
      const wasStable = performance.now() - beganAtMs >= stableMs;
      if (wasStable) this.#backoff.reset();
      // A service that sends every connection away at once must not be asked again and again.
      delayMs = wasStable && !need.isLost ? 0 : this.#backoff.nextDelayMs();
    }
  }

  /** One attempt. @returns undefined when it failed, and everybody was told */
  async #connect(need: (need: Need) => void): Promise<SignalingClient | undefined> {
    const client = this.#createClient();
    let closeReason = '';
    // Either may come with the first packet, before `connect` resolves here.
    client.once('goAway', () => {
      need({ reason: 'the service sent GO_AWAY', isLost: false });
    });
    client.once('closed', (info) => {
      this.#clients.delete(client);
      closeReason = reasonOf(info);
      need({ reason: closeReason, isLost: true });
      if (client === this.#current) this.#lose(closeReason);
    });
    this.#clients.add(client);
    this.#isConnecting = true;
    try {
      await client.connect({ signal: this.#end.signal });
      if (this.#clients.has(client)) return client;
      throw new SignalingError(
        ErrorCode.signaling,
        `The signaling connection ended as soon as it stood: ${closeReason}`,
      );
    } catch (error) {
      this.#clients.delete(client);
      if (this.#end.signal.aborted) return undefined;
      if (this.#current === undefined) this.#tellLoss();
      this.emit('refused', asKvsBridgeError(error));
      return undefined;
    } finally {
      this.#isConnecting = false;
    }
  }

  /** From now on `client` is the one to send over. */
  #take(client: SignalingClient, reason: string | undefined): void {
    const previous = this.#current;
    this.#current = client;
    const kind = this.#isUp ? 'replaced' : 'connected';
    this.#isUp = true;
    if (previous !== undefined) {
      setTimeout(() => void previous.close(), this.#rhythm.overlapMs).unref();
    }
    this.emit('change', { kind, ...(reason === undefined ? {} : { reason }) });
  }

  #lose(reason: string): void {
    this.#current = undefined;
    this.#lossReason = reason;
    // The service may close the old connection before the new one is known to stand.
    if (!this.#isConnecting) this.#tellLoss();
  }

  #tellLoss(): void {
    if (!this.#isUp || this.#end.signal.aborted) return;
    this.#isUp = false;
    this.emit('change', { kind: 'disconnected', reason: this.#lossReason });
  }
}

function reasonOf({ code, reason }: SignalingClosed): string {
  if (reason !== '') return reason;
  return code === 1006 ? 'the connection broke' : `the service closed it (${String(code)})`;
}
