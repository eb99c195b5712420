/** URLs that the server hands out: from its own options, never from a caller's Host header. */
import { isIPv6 } from 'node:net';

/** Role of a signaling connection. */
export type Role = 'MASTER' | 'VIEWER';

/** Where the roles connect; the real service has a host for each. */
export const rolePaths = { MASTER: '/m', VIEWER: '/v' } as const;

/** Callers get URLs of the kind that they came by: https and wss over TLS, http and ws else. */
export class Endpoints {
  readonly #host: string;
  #port = 0;
  #tlsPort = 0;

  constructor(host: string) {
    this.#host = isIPv6(host) ? `[${host}]` : host;
  }

  /** Tells the ports, which are known once the server listens. */
  setPort(isSecure: boolean, port: number): void {
    if (isSecure) this.#tlsPort = port;
    else this.#port = port;
  }

  /** Base URL of every call; without a slash at its end, as the producer SDK appends paths. */
  http(isSecure: boolean): string {
    return isSecure ? this.#url('https', this.#tlsPort) : this.#url('http', this.#port);
  }

  /** Base URL of WebSockets. */
  ws(isSecure: boolean): string {
    return isSecure ? this.#url('wss', this.#tlsPort) : this.#url('ws', this.#port);
  }

  /** URL that a role connects to. */
  signaling(isSecure: boolean, role: Role): string {
    return this.ws(isSecure) + rolePaths[role];
  }

  #url(scheme: string, port: number): string {
    return `${scheme}://${this.#host}:${port}`;
  }
}
