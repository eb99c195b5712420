/** Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import * as v from 'valibot';
import type { KvsBridge } from '../bridge/kvs-bridge.js';
import { ErrorCode, HealthServerError } from '../util/errors.js';
import { parseOptions, rules } from '../util/options.js';
import { redactFields } from '../util/redact.js';
import { readinessOf } from './readiness.js';

/** Options of {@link createHealthServer}. */
export interface HealthServerOptions {
  /** Whose readiness it tells; ready are all of them or none. */
  readonly bridges: readonly KvsBridge[];
  /** What `/metrics` has; without it there is no `/metrics`. */
  readonly registry?: Registry;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /** Address to listen on; `0.0.0.0` or `::` lets other machines in. @defaultValue '127.0.0.1' */
  readonly host?: string;
}

/** A running server. */
export interface HealthServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:9090`. */
  readonly url: string;
  readonly port: number;
  /** Ends it, open connections included. Repeats have no effect. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const schema = v.object({
  port: rules.whole(0, 65_535),
  host: v.exactOptional(rules.text, '127.0.0.1'),
});

/** Enough for probes and scrapers; whoever opens more and says nothing is in nobody's way. */
const maxConnections = 64;
const requestTimeoutMs = 5_000;

/**
 * Serves `/livez` (200 while this process answers), `/readyz` (200 while every Bridge has a PERSISTED
 * within its persist timeout, else 503; the body says why) and `/metrics`. No one who may connect is
 * asked who they are.
 *
 * @throws {@link OptionsError} that names the option
 * @throws {@link HealthServerError} `KVSB_PORT_UNAVAILABLE`: the port is taken or not allowed
 */
export async function createHealthServer({
  bridges,
  registry,
  ...address
}: HealthServerOptions): Promise<HealthServer> {
  const { host, port } = parseOptions(schema, address);
  const server = createServer((request, response) => {
    answer(request, bridges, registry).then(
      (result) => {
        send(request, response, result);
      },
      () => {
        send(request, response, json(500, { error: 'the metrics cannot be read' }));
      },
    );
  });
  server.maxConnections = maxConnections;
  server.requestTimeout = requestTimeoutMs;
  await listen(server, host, port);
  // server.address() is a string only for a Unix socket.
  const { port: actualPort } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  bridges: readonly KvsBridge[],
  registry: Registry | undefined,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'GET and HEAD only' });
  const path = url.replace(/\?.*$/, '');
  if (path === '/livez') return json(200, { live: true });
  if (path === '/readyz') {
    const list = bridges.map(readinessOf);
    const isReady = list.length > 0 && list.every(({ ready }) => ready);
    return json(isReady ? 200 : 503, { ready: isReady, bridges: list });
  }
  if (path === '/metrics' && registry !== undefined) {
    return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
  }
  const known = ['/livez', '/readyz', ...(registry === undefined ? [] : ['/metrics'])];
  return json(404, { error: `there are ${known.join(', ')}` });
}

/** Reasons may quote what others said. */
function json(status: number, body: object): Answer {
  const text = `${JSON.stringify(redactFields(body))}\n`;
  return { status, contentType: 'application/json; charset=utf-8', body: text };
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, contentType, body }: Answer,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw portError(error, host, port);
  }
}

function portError(error: unknown, host: string, port: number): HealthServerError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const causes: Readonly<Record<string, readonly [message: string, fix: string]>> = {
    EADDRINUSE: [
      `Port ${port} on ${host}, for health and metrics, is taken by another program`,
      'Choose another --http-port, or 0 to let the system choose.',
    ],
    EACCES: [
      `Listening on ${host}:${port} for health and metrics is not allowed`,
      'Choose an --http-port above 1023, or 0 to let the system choose.',
    ],
    EADDRNOTAVAIL: [
      `${host} is not an address of this machine`,
      'Set --http-host to 127.0.0.1, 0.0.0.0 or ::.',
    ],
  };
  const [message, fix] = causes[code] ?? [
    `Health and metrics cannot be served on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
    'Check --http-host and --http-port.',
  ];
  return new HealthServerError(ErrorCode.portUnavailable, message, { fix, cause: error });
}
