/** Pings, so that the service does not call a connection idle, and a dead one is noticed. */
import type { WebSocket } from 'ws';

/** Options of {@link KeepAlive}. */
export interface KeepAliveOptions {
  /** Time between pings, in ms. */
  readonly pingIntervalMs: number;
  /** How long a ping may stay unanswered, in ms. */
  readonly pongTimeoutMs: number;
  /** Called once, when a ping stayed unanswered. */
  readonly onDead: () => void;
}

/** Starts at once; works on an open socket. */
export class KeepAlive {
  readonly #socket: WebSocket;
  readonly #options: KeepAliveOptions;
  readonly #interval: NodeJS.Timeout;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, options: KeepAliveOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#interval = setInterval(this.#ping, options.pingIntervalMs);
    socket.on('pong', this.#onPong);
  }

  /** Ends it; may be called more than once. */
  stop(): void {
    clearInterval(this.#interval);
    this.#onPong();
    this.#socket.off('pong', this.#onPong);
  }

  readonly #ping = (): void => {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
    // Runs from the oldest unanswered ping.
    this.#deadline ??= setTimeout(() => {
      this.stop();
      this.#options.onDead();
    }, this.#options.pongTimeoutMs);
  };

  readonly #onPong = (): void => {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  };
}
