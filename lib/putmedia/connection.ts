/** One PutMedia request: media goes up in its body while acknowledgements come down. */
import { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { awsClock } from '../aws/clock.js';
import type { AwsCredentials } from '../aws/credentials.js';
import { signRequest } from '../aws/sigv4.js';
import { abortable } from '../util/abort.js';
import { AckParser } from './acks.js';
import type { Ack } from './acks.js';
import { failureOf, failureOfConnection, failureOfRefusal } from './put-media-failure.js';
import type { PutMediaFailure, PutMediaTarget } from './put-media-failure.js';

/** Asked for credentials before each request. */
export type CredentialsProvider = (options: {
  readonly signal: AbortSignal;
  /** True when AWS did not accept the last ones: cached ones should not be given again. */
  readonly refused: boolean;
}) => Promise<AwsCredentials>;

/** Where media goes and how. */
export interface PutMediaConnectionOptions {
  /** The stream's PUT_MEDIA data endpoint, as GetDataEndpoint gave it; http or https. */
  readonly endpoint: string;
  readonly region: string;
  readonly streamName: string;
  /** Names the stream instead of `streamName` on the wire, as another account's stream needs it. */
  readonly streamArn?: string;
  readonly credentials: CredentialsProvider;
  /** Passed on to {@link CredentialsProvider}. @defaultValue false */
  readonly credentialsRefused?: boolean;
  /** PEM certificates to trust instead of Node's. */
  readonly ca?: string;
  /** @defaultValue 'kvs-bridge' */
  readonly userAgent?: string;
  /** Longest time to get credentials, connect and finish TLS, in ms. @defaultValue 10000 */
  readonly connectTimeoutMs?: number;
  /** Longest wait for the HTTP status after media was sent, in ms. @defaultValue 10000 */
  readonly responseTimeoutMs?: number;
  /** How long to wait for "100 Continue" before media is sent anyway, in ms. @defaultValue 1000 */
  readonly continueTimeoutMs?: number;
}

/** Events of a {@link PutMediaConnection}. */
export interface PutMediaConnectionEvents {
  /** Media can be written. */
  ready: [];
  /** KVS answered 200. */
  accepted: [];
  ack: [Ack];
  /** There is room for more after {@link PutMediaConnection.canWrite} was false. */
  drain: [];
  /** The last event. Without a failure, KVS ended its answer properly or it was destroyed by us. */
  closed: [{ readonly failure: PutMediaFailure | undefined }];
}

const maxErrorBodyBytes = 16_384;
const errorBodyTimeoutMs = 3_000;

/**
 * One PutMedia request on a connection of its own (AWS dev guide, PutMedia).
 *
 * It asks with `Expect: 100-continue` before it sends media, as AWS's producer does: a refusal then
 * arrives with its reason, instead of drowning in a reset because media was still on its way.
 */
export class PutMediaConnection extends EventEmitter<PutMediaConnectionEvents> {
  readonly #options: PutMediaConnectionOptions;
  readonly #target: PutMediaTarget;
  readonly #closing = new AbortController();
  readonly #acks = new AckParser();
  #request: http.ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expiresAtMs = Infinity;
  #isConnected = false;
  #isReady = false;
  #isAccepted = false;
  #isRefused = false;
  #isBlocked = false;
  #isEnded = false;
  #isClosed = false;

  /** Starts connecting at once; events follow asynchronously. */
  constructor(options: PutMediaConnectionOptions) {
    super();
    this.#options = options;
    const { host } = new URL(options.endpoint);
    this.#target = { region: options.region, streamName: options.streamName, host };
    const { connectTimeoutMs = 10_000 } = options;
    this.#setTimer(connectTimeoutMs, () => {
      this.#fail(this.#lateBy(connectTimeoutMs));
    });
    this.#open().catch((error: unknown) => {
      this.#fail(failureOfConnection(error, this.#target, false));
    });
  }

  /** True when media can be written and the socket is not full. */
  get canWrite(): boolean {
    return this.#isReady && !this.#isBlocked && !this.#isEnded && !this.#isRefused;
  }

  /** True while the socket is too full to take more. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** When the credentials that signed this request end by this machine's clock, or Infinity. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** Sends bytes; to be called only while {@link canWrite}. Never blocks. */
  write(bytes: Uint8Array): void {
    if (!this.canWrite || this.#request === undefined) return;
    if (!this.#isAccepted) this.#expectResponse();
    this.#isBlocked = !this.#request.write(bytes);
  }

  /** Ends the body, after some last bytes if given. Acknowledgements still come. */
  end(lastBytes?: Uint8Array): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    if (!this.#isAccepted) this.#expectResponse();
    if (lastBytes === undefined || lastBytes.length === 0) this.#request?.end();
    else this.#request?.end(lastBytes);
  }

  /** Breaks the connection. `closed` follows before this returns, with the failure given. */
  destroy(failure?: PutMediaFailure): void {
    this.#fail(failure);
  }

  async #open(): Promise<void> {
    const { credentials: getCredentials, credentialsRefused = false, region } = this.#options;
    const { signal } = this.#closing;
    const credentials = await abortable<AwsCredentials>((resolve, reject) => {
      getCredentials({ signal, refused: credentialsRefused }).then(resolve, reject);
      return () => undefined;
    }, signal);
    this.#expiresAtMs = (credentials.expiration?.getTime() ?? Infinity) - awsClock.offsetMs;
    const url = new URL(`${this.#options.endpoint.replace(/\/+$/, '')}/putMedia`);
    const headers = await signRequest({
      method: 'POST',
      url,
      headers: this.#headers(),
      region,
      credentials,
    });
    if (this.#isClosed) return;
    this.#send(url, { ...headers, expect: '100-continue' });
  }

  #headers(): Record<string, string> {
    const { streamName, streamArn, userAgent = 'kvs-bridge' } = this.#options;
    return {
      'user-agent': userAgent,
      'transfer-encoding': 'chunked',
      ...(streamArn === undefined
        ? { 'x-amzn-stream-name': streamName }
        : { 'x-amzn-stream-arn': streamArn }),
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
      'x-amzn-producer-start-timestamp': (Date.now() / 1000).toFixed(3),
      'x-amzn-fragment-acknowledgment-required': '1',
    };
  }

  #send(url: URL, headers: Record<string, string>): void {
    const { ca } = this.#options;
    const common: http.RequestOptions = { method: 'POST', headers, agent: false };
    const request =
      url.protocol === 'https:'
        ? https.request(url, { ...common, ...(ca === undefined ? {} : { ca }) })
        : http.request(url, common);
    this.#request = request;
    request.setNoDelay(true);
    request.on('socket', (socket) => {
      this.#onceConnected(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect');
    });
    request.on('continue', () => {
      this.#becomeReady();
    });
    request.on('response', (response) => {
      this.#onResponse(response);
    });
    request.on('drain', () => {
      this.#isBlocked = false;
      if (!this.#isClosed) this.emit('drain');
    });
    // Stays on for good: a request destroyed late may still report an error.
    request.on('error', (error) => {
      if (this.#isRefused) return;
      this.#fail(failureOfConnection(error, this.#target, this.#isConnected));
    });
    request.flushHeaders();
  }

  #onceConnected(socket: Socket, event: string): void {
    socket.once(event, () => {
      if (this.#isClosed || this.#isReady) return;
      this.#isConnected = true;
      this.#setTimer(this.#options.continueTimeoutMs ?? 1_000, () => {
        this.#becomeReady();
      });
    });
  }

  #becomeReady(): void {
    if (this.#isReady || this.#isClosed || this.#isRefused) return;
    this.#isReady = true;
    this.#clearTimer();
    this.emit('ready');
  }

  #lateBy(connectTimeoutMs: number): PutMediaFailure {
    return this.#request === undefined
      ? failureOf(
          `No AWS credentials within ${String(connectTimeoutMs)} ms`,
          'Check the source of the credentials: profile, SSO, or the role of the task or instance.',
        )
      : failureOf(
          `No connection to ${this.#target.host} for PutMedia within ${String(connectTimeoutMs)} ms`,
          'Check the network, proxy and firewall on the way to the data endpoint.',
        );
  }

  /** Arms the wait for the HTTP status, once. */
  #expectResponse(): void {
    if (this.#timer !== undefined) return;
    const { responseTimeoutMs = 10_000 } = this.#options;
    this.#setTimer(responseTimeoutMs, () => {
      this.#fail(
        failureOf(
          `${this.#target.host} did not answer PutMedia within ${String(responseTimeoutMs)} ms`,
          'Try again later; check the AWS Health Dashboard of the region.',
        ),
      );
    });
  }

  #onResponse(response: http.IncomingMessage): void {
    if (this.#isClosed) return;
    this.#clearTimer();
    awsClock.observe(response.headers.date);
    response.on('error', (error) => {
      if (this.#isRefused) return;
      this.#fail(failureOfConnection(error, this.#target, true));
    });
    if (response.statusCode !== 200) {
      this.#readRefusal(response);
      return;
    }
    this.#isAccepted = true;
    this.emit('accepted');
    this.#becomeReady();
    response.on('data', (bytes: Buffer) => {
      for (const ack of this.#acks.push(bytes)) {
        if (this.#isClosed) return;
        this.emit('ack', ack);
      }
    });
    response.on('end', () => {
      this.#fail(undefined);
    });
  }

  /** Collects the error body, up to a bound in size and time, then fails with what it says. */
  #readRefusal(response: http.IncomingMessage): void {
    this.#isRefused = true;
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      const errorType = response.headers['x-amzn-errortype'];
      this.#fail(
        failureOfRefusal(
          {
            status: response.statusCode ?? 0,
            errorType: Array.isArray(errorType) ? errorType[0] : errorType,
            body: Buffer.concat(chunks).subarray(0, maxErrorBodyBytes).toString('utf8'),
          },
          this.#target,
        ),
      );
    };
    this.#setTimer(errorBodyTimeoutMs, finish);
    response.on('data', (bytes: Buffer) => {
      chunks.push(bytes);
      size += bytes.length;
      if (size >= maxErrorBodyBytes) finish();
    });
    response.on('end', finish);
    response.on('close', finish);
  }

  #fail(failure: PutMediaFailure | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReady = false;
    this.#clearTimer();
    this.#closing.abort();
    this.#request?.destroy();
    this.emit('closed', { failure });
  }

  #setTimer(delayMs: number, onTime: () => void): void {
    this.#clearTimer();
    this.#timer = setTimeout(onTime, delayMs);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
