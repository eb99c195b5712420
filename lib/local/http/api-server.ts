/** Answers HTTP requests: finds the operation, checks the signature, runs it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { EmitLocalKvsEvent } from '../events.js';
import type { FaultPlan } from '../faults/fault-plan.js';
import type { LocalKvsLogger } from '../options.js';
import { corsHeaders, sendError, sendJson } from './answer.js';
import { splitUrl } from './canonical-request.js';
import { parseBody, readBody } from './json-body.js';
import type { Operation } from './operation.js';
import { ServiceError, serviceUnavailable } from './service-error.js';
import type { SignatureVerifier } from './signature.js';

/** Options of {@link ApiServer}. */
export interface ApiServerOptions {
  readonly operations: readonly Operation[];
  /** Takes a PutMedia request whose signature is good. */
  readonly putMedia: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly verifier: SignatureVerifier;
  readonly faults: FaultPlan;
  readonly emit: EmitLocalKvsEvent;
  readonly logger: LocalKvsLogger | undefined;
}

const putMedia = { name: 'PutMedia', path: '/putMedia' } as const;
/** How long the rest of a refused body is read, so that the caller gets to see why. */
const lingerMs = 2000;

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #stopping = new AbortController();

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#operations = new Map(options.operations.map((operation) => [operation.path, operation]));
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = splitUrl(request.url ?? '/');
    response.setHeader('Date', this.#options.faults.now().toUTCString());
    if (request.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    const operation = path === putMedia.path ? putMedia : this.#operations.get(path);
    const name = operation?.name ?? path;
    try {
      if (this.#stopping.signal.aborted) throw serviceUnavailable();
      if (operation === undefined || request.method !== 'POST') {
        throw new ServiceError('UnknownOperationException', 404, `There is no operation ${path}.`);
      }
      await this.#dispatch(operation, request, response);
      this.#options.emit('request', { operation: name, status: 200 });
    } catch (error) {
      this.#fail(request, response, name, error);
    }
  }

  /** Ends answers that last, and takes no more calls. */
  close(): void {
    this.#stopping.abort(new Error('The server stops'));
  }

  async #dispatch(
    operation: Operation | typeof putMedia,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { faults, verifier } = this.#options;
    const { method = '', url = '', rawHeaders } = request;
    faults.checkCall(operation.name);
    if (!('kind' in operation)) {
      verifier.verify({ method, url, rawHeaders }, undefined);
      await this.#options.putMedia(request, response);
      return;
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    const body = await readBody(request);
    verifier.verify({ method, url, rawHeaders }, body);
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort(new Error('The caller is gone'));
    });
    const context = {
      isSecure: request.socket instanceof TLSSocket,
      signal: AbortSignal.any([gone.signal, this.#stopping.signal]),
    };
    if (operation.kind === 'json')
      sendJson(response, await operation.run(parseBody(body), context));
    else await operation.run(parseBody(body), response, context);
  }

  #fail(
    request: IncomingMessage,
    response: ServerResponse,
    operation: string,
    error: unknown,
  ): void {
    const { emit, logger } = this.#options;
    if (response.destroyed) return;
    const isKnown = error instanceof ServiceError;
    if (!isKnown) logger?.warn({ operation, error: String(error) }, 'a call failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const known = isKnown
      ? error
      : new ServiceError('InternalFailure', 500, 'An internal error occurred.');
    sendError(response, known);
    if (!request.complete) discardRest(request);
    emit('request', { operation, status: known.status, errorType: known.type });
  }
}

/** The body of a refused upload may never end, and closing at once could overtake the answer. */
function discardRest(request: IncomingMessage): void {
  request.on('error', () => undefined);
  request.resume();
  const timer = setTimeout(() => {
    request.socket.destroy();
  }, lingerMs);
  request.once('close', () => {
    clearTimeout(timer);
  });
}

/** Browsers ask before they send signed headers. */
function sendPreflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      ...corsHeaders,
      'Access-Control-Allow-Methods': 'POST, GET',
      'Access-Control-Allow-Headers': '*, Authorization',
      'Access-Control-Max-Age': '86400',
    })
    .end();
}
