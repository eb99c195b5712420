/** The sockets: http and ws, and https and wss when there is a certificate. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { abortable } from '../../util/abort.js';
import { ErrorCode, LocalKvsError } from '../../util/errors.js';
import type { TlsCertificate } from '../options.js';

/** Who takes what comes in. */
export interface Handlers {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Options of {@link Listener.open}. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly certificate?: TlsCertificate | undefined;
  readonly handlers: Handlers;
  readonly signal?: AbortSignal | undefined;
}

/** One listening socket. */
export class Listener {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /**
   * @throws {@link LocalKvsError} `KVSB_PORT_UNAVAILABLE`, the port is taken or not allowed;
   * `KVSB_OPTIONS`, the certificate cannot be used
   */
  static async open(options: ListenerOptions): Promise<Listener> {
    const { host, port, handlers, signal } = options;
    const server = makeServer(options.certificate);
    // An upload lasts as long as its producer likes; Node would end it after 5 minutes.
    server.requestTimeout = 0;
    server.timeout = 0;
    server.on('request', handlers.request);
    // Whoever takes the request says when to go on, so that an upload can be refused before it.
    server.on('checkContinue', handlers.request);
    server.on('upgrade', handlers.upgrade);
    await listen(server, host, port, signal);
    // server.address() is a string only for a Unix socket.
    return new Listener(server, (server.address() as AddressInfo).port);
  }

  /** Takes no more connections and cuts those that are open. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function makeServer(certificate: TlsCertificate | undefined): Server {
  if (certificate === undefined) return createServer();
  const { certPem, keyPem } = certificate;
  try {
    return createTlsServer({ cert: certPem, key: keyPem });
  } catch (error) {
    throw new LocalKvsError(ErrorCode.options, 'The TLS certificate and key cannot be used', {
      cause: error,
      fix: 'Pass a PEM certificate and its unencrypted PEM private key.',
    });
  }
}

async function listen(
  server: Server,
  host: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await abortable<undefined>((resolve, reject) => {
    const onListening = (): void => {
      resolve(undefined);
    };
    const onError = (error: Error): void => {
      reject(portError(error, host, port));
    };
    server.once('listening', onListening);
    server.once('error', onError);
    server.listen({ host, port });
    return () => {
      server.off('listening', onListening);
      server.off('error', onError);
    };
  }, signal).catch((error: unknown) => {
    server.close();
    throw error;
  });
}

function portError(error: Error, host: string, port: number): LocalKvsError {
  const code = 'code' in error ? String(error.code) : '';
  const where = `${host}:${port}`;
  const causes: Readonly<Record<string, readonly [message: string, fix: string]>> = {
    EADDRINUSE: [
      `Port ${port} on ${host} is taken by another program`,
      'Choose another port, or 0 to let the system choose.',
    ],
    EACCES: [
      `Listening on ${where} is not allowed`,
      'Choose a port above 1023, or 0 to let the system choose.',
    ],
    EADDRNOTAVAIL: [`${host} is not an address of this machine`, 'Use 127.0.0.1 or 0.0.0.0.'],
    ENOTFOUND: [`The host ${host} is not known`, 'Use 127.0.0.1 or 0.0.0.0.'],
  };
  const [message, fix] = causes[code] ?? [
    `Cannot listen on ${where}: ${error.message}`,
    'Check the host and the port.',
  ];
  return new LocalKvsError(ErrorCode.portUnavailable, message, { fix, cause: error });
}
