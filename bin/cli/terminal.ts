/** Writes to stdout and stderr, with one live line at the bottom of a terminal. */
import type { WriteStream } from 'node:tty';

/** What is needed of a stream. */
export type OutputStream = Pick<WriteStream, 'write'> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** What a {@link Terminal} writes to. */
export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Redraws the bottom of the terminal; off where stderr is none. */
  readonly live: boolean;
}

const eraseLine = '\r\u001B[2K';
/** A line that wraps cannot be erased: no wrapping while it is written. */
const noWrap = '\u001B[?7l';
const wrap = '\u001B[?7h';

/** Lines scroll above the live line, which is rewritten in place. */
export class Terminal {
  readonly #options: TerminalOptions;
  #live: string | undefined;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Columns of the live line; 0 where there is none. */
  get columns(): number {
    return this.#options.live ? (this.#options.stderr.columns ?? 80) : 0;
  }

  /** A line on stdout. */
  out(line: string): void {
    this.#above(this.#options.stdout, line);
  }

  /** A line on stderr. */
  err(line: string): void {
    this.#above(this.#options.stderr, line);
  }

  /** Shows or replaces the live line; `undefined` takes it away. */
  live(line: string | undefined): void {
    if (!this.#options.live || line === this.#live) return;
    this.#erase();
    this.#live = line;
    this.#draw();
  }

  #above(stream: OutputStream, line: string): void {
    this.#erase();
    stream.write(`${line}\n`);
    this.#draw();
  }

  #erase(): void {
    if (this.#live !== undefined) this.#options.stderr.write(eraseLine);
  }

  #draw(): void {
    if (this.#live !== undefined) this.#options.stderr.write(`${noWrap}${this.#live}${wrap}`);
  }
}
