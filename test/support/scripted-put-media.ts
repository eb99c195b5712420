/**
 * A PutMedia endpoint over real sockets that misbehaves as told. It reads a line-based stand-in for
 * Matroska: `H<epoch>` is a header, `C<timecode>` begins a fragment, `F…` is a frame, `T` a trailer.
 */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

/** A fragment as the server stored it. */
export interface StoredFragment {
  readonly header: string;
  readonly timecodeMs: number;
  readonly frames: readonly string[];
}

/** How one request deviates from what KVS does. */
export interface Script {
  /** Answers with this instead of 200. */
  readonly refuse?: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
  /** Never answers, not even "100 Continue". */
  readonly neverAnswer?: boolean;
  /** Reads and stores, but sends no acknowledgement. */
  readonly mute?: boolean;
  /** Sends no PERSISTED, and stores nothing. */
  readonly neverPersist?: boolean;
  /** Reports an error when this fragment of the request begins; those before it are stored. */
  readonly error?: {
    /** Counted from 1. */
    readonly atFragment: number;
    readonly errorId: number;
    /** Sent instead of the fragment's own. */
    readonly timecodeMs?: number;
  };
  /** Called before a line is handled; returns true to leave it out. */
  readonly onLine?: (line: string, exchange: Exchange) => boolean | undefined;
  /** Called once the request is accepted. */
  readonly onAccepted?: (exchange: Exchange) => void;
  /** Ends the answer by itself once the body ended. @defaultValue true */
  readonly endsAnswer?: boolean;
}

/** One request in progress. */
export class Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly lines: string[] = [];
  #header = '';
  #timecodeMs: number | undefined;
  #frames: string[] = [];
  #text = '';
  /** True once the server stopped to care about what comes. */
  isOver = false;
  fragmentsBegun = 0;

  constructor(parts: {
    readonly request: http.IncomingMessage;
    readonly response: http.ServerResponse;
  }) {
    this.request = parts.request;
    this.response = parts.response;
  }

  get socket(): Socket {
    return this.request.socket;
  }

  sendAck(eventType: string, members: Record<string, unknown> = {}): void {
    if (this.response.writableEnded || this.socket.destroyed) return;
    this.response.write(`${JSON.stringify({ EventType: eventType, ...members })}\n`);
  }

  /** Sends an ERROR and, as KVS does, ends the answer. */
  sendError(errorId: number, timecodeMs: number): void {
    this.sendAck('ERROR', { FragmentTimecode: timecodeMs, ErrorId: errorId, FragmentNumber: '' });
    this.response.end();
    this.isOver = true;
  }

  reset(): void {
    this.isOver = true;
    this.socket.resetAndDestroy();
  }

  /** Splits bytes into whole lines. */
  takeLines(bytes: Buffer): string[] {
    const lines = (this.#text + bytes.toString('latin1')).split('\n');
    this.#text = lines.pop() ?? '';
    return lines;
  }

  /** Follows the stream; returns a fragment that this line completes. */
  follow(line: string): StoredFragment | undefined {
    const stored = line.startsWith('F') ? undefined : this.finish();
    if (line.startsWith('H')) this.#header = line;
    if (line.startsWith('C')) this.#timecodeMs = Number(line.slice(1));
    if (line.startsWith('F')) this.#frames.push(line);
    return stored;
  }

  /** Completes the fragment in progress, if there is one. */
  finish(): StoredFragment | undefined {
    const timecodeMs = this.#timecodeMs;
    if (timecodeMs === undefined) return undefined;
    const stored = { header: this.#header, timecodeMs, frames: this.#frames };
    this.#timecodeMs = undefined;
    this.#frames = [];
    return stored;
  }
}

/** A key and its certificate, as PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** The server. Each request takes the next script; without one it behaves well. */
export class ScriptedPutMedia implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  /** What was persisted, in order, duplicates included. */
  readonly archive: StoredFragment[] = [];
  /** Most requests that were open at the same time. */
  maxConcurrent = 0;
  readonly #scripts: Script[];
  readonly #server: http.Server | https.Server;
  readonly #scheme: 'http' | 'https';
  #open = 0;
  #number = 10n ** 46n;

  private constructor(scripts: readonly Script[], tls?: TlsIdentity) {
    this.#scripts = [...scripts];
    const serve = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      this.#serve(request, response);
    };
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server =
      tls === undefined
        ? http.createServer({ requestTimeout: 0 }, serve)
        : https.createServer({ requestTimeout: 0, ...tls }, serve);
    this.#server.on('checkContinue', serve);
  }

  static start(...scripts: readonly Script[]): Promise<ScriptedPutMedia> {
    return ScriptedPutMedia.#listen(new ScriptedPutMedia(scripts));
  }

  /** The same over TLS. */
  static startTls(tls: TlsIdentity): Promise<ScriptedPutMedia> {
    return ScriptedPutMedia.#listen(new ScriptedPutMedia([], tls));
  }

  static async #listen(server: ScriptedPutMedia): Promise<ScriptedPutMedia> {
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#scheme}://127.0.0.1:${String(port)}`;
  }

  /** Timecodes in the archive, in order. */
  get timecodes(): number[] {
    return this.archive.map(({ timecodeMs }) => timecodeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const exchange = new Exchange({ request, response });
    this.exchanges.push(exchange);
    this.#open += 1;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.#open);
    // Not the socket's end: KVS counts a request as over once it has answered it.
    response.on('close', () => (this.#open -= 1));
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const script = this.#scripts.shift() ?? {};
    if (script.neverAnswer === true) {
      request.resume();
      return;
    }
    if (script.refuse !== undefined) {
      const { status, headers = {}, body = '' } = script.refuse;
      response.writeHead(status, { connection: 'close', ...headers }).end(body);
      return;
    }
    response.writeContinue();
    response.writeHead(200);
    response.flushHeaders();
    response.socket?.setNoDelay(true);
    request.on('data', (bytes: Buffer) => {
      for (const line of exchange.takeLines(bytes)) this.#onLine(line, exchange, script);
    });
    request.on('end', () => {
      if (!exchange.isOver) this.#store(exchange.finish(), exchange, script);
      if (script.endsAnswer !== false) response.end();
    });
    script.onAccepted?.(exchange);
  }

  #onLine(line: string, exchange: Exchange, script: Script): void {
    if (exchange.isOver || script.onLine?.(line, exchange) === true) return;
    exchange.lines.push(line);
    if (line.startsWith('C')) exchange.fragmentsBegun += 1;
    if (script.error?.atFragment === exchange.fragmentsBegun) {
      this.#store(exchange.finish(), exchange, script);
      const { errorId, timecodeMs = Number(line.slice(1)) } = script.error;
      exchange.sendError(errorId, timecodeMs);
      return;
    }
    this.#store(exchange.follow(line), exchange, script);
    if (!line.startsWith('C') || script.mute === true) return;
    exchange.sendAck('BUFFERING', { FragmentTimecode: Number(line.slice(1)) });
  }

  #store(fragment: StoredFragment | undefined, exchange: Exchange, script: Script): void {
    if (fragment === undefined) return;
    this.#number += 1n;
    const members = {
      FragmentTimecode: fragment.timecodeMs,
      FragmentNumber: this.#number.toString(),
    };
    if (script.mute !== true) exchange.sendAck('RECEIVED', members);
    if (script.neverPersist === true) return;
    this.archive.push(fragment);
    if (script.mute !== true) exchange.sendAck('PERSISTED', members);
  }
}
