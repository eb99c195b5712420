/** A PutMedia upload by hand: signed by AWS's own signer, sent over a plain HTTP request. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { localCredentials } from '../../lib/local/index.js';

/** An acknowledgement as it stands on the wire. */
export interface WireAck {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly FragmentNumber?: string;
  readonly ErrorId?: number;
  readonly ErrorCode?: string;
}

/** Options of {@link Upload.open}. */
export interface UploadOptions {
  /** Base URL of the local KVS. */
  readonly url: string;
  readonly streamName: string;
  /** Headers beyond the usual ones, or in their place. */
  readonly headers?: Readonly<Record<string, string>>;
}

const deadlineMs = 10_000;

/** An upload whose response has begun. */
export class Upload {
  readonly status: number;
  /** Everything acknowledged so far. */
  readonly acks: WireAck[] = [];
  /** Sizes of the chunks in which acknowledgements came. */
  readonly chunkBytes: number[] = [];
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #closed: Promise<void>;
  #text = '';
  #isOver = false;

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.#response = response;
    this.status = response.statusCode ?? 0;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.#closed = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('The response does not end'));
      }, deadlineMs);
      response.once('close', () => {
        clearTimeout(timer);
        this.#isOver = true;
        resolve();
      });
    });
    this.#closed.catch(() => undefined);
  }

  static async open({ url, streamName, headers = {} }: UploadOptions): Promise<Upload> {
    const { hostname, port } = new URL(url);
    const signer = new SignatureV4({
      credentials: localCredentials,
      region: 'us-east-1',
      service: 'kinesisvideo',
      sha256: Sha256,
    });
    const signed = await signer.sign({
      method: 'POST',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: '/putMedia',
      query: {},
      headers: {
        host: `${hostname}:${port}`,
        'transfer-encoding': 'chunked',
        'x-amzn-stream-name': streamName,
        'x-amzn-fragment-timecode-type': 'ABSOLUTE',
        ...headers,
      },
    });
    const request = httpRequest(`${url}/putMedia`, { method: 'POST', headers: signed.headers });
    request.setNoDelay(true);
    request.flushHeaders();
    const [response] = (await once(request, 'response', {
      signal: AbortSignal.timeout(deadlineMs),
    })) as [IncomingMessage];
    return new Upload(request, response);
  }

  send(...parts: readonly Buffer[]): void {
    for (const part of parts) this.#request.write(part);
  }

  /** Ends the body in good order. */
  end(...parts: readonly Buffer[]): void {
    this.send(...parts);
    this.#request.end();
  }

  /** Resets the connection. */
  cut(): void {
    this.#request.socket?.resetAndDestroy();
  }

  /** The text of the response that is no acknowledgement: an error's body. */
  get text(): string {
    return this.#text;
  }

  /** Waits for the nth acknowledgement of a type. */
  async ack(type: string, count = 1): Promise<WireAck> {
    const signal = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const found = this.acks.filter(({ EventType }) => EventType === type)[count - 1];
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`The upload ended with ${JSON.stringify(this.acks)}`);
      await Promise.race([
        once(this.#response, 'data', { signal }),
        once(this.#response, 'close', { signal }),
      ]);
    }
  }

  /** Waits for the end of the response, good or bad. */
  async over(): Promise<readonly WireAck[]> {
    await this.#closed;
    return this.acks;
  }

  #take(chunk: Buffer): void {
    this.#text += chunk.toString();
    if (this.status !== 200) return;
    this.chunkBytes.push(chunk.length);
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.acks.push(JSON.parse(line) as WireAck);
  }
}
