/** A program of examples/, compiled, in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running example. Of this process's own AWS and test settings nothing reaches it. */
export class ExampleProgram implements Disposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #onLine = new EventEmitter<{ line: [] }>();
  readonly #lines: string[] = [];
  readonly #exitCode: Promise<number | null>;
  /** Rejects when it ends. */
  readonly failure: Promise<never>;

  constructor(
    name: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
    this.#child = spawn(process.execPath, [file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...ownEnvironment(), ...environment },
    });
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.#lines.push(line);
        this.#onLine.emit('line');
      });
    }
    this.#exitCode = once(this.#child, 'close').then(([code]) => code as number | null);
    this.failure = this.#exitCode.then((code) =>
      assert.fail(`${name} ended with ${String(code)}: ${this.output}`),
    );
    // It is for those who wait for something else.
    this.failure.catch(() => undefined);
  }

  /** What it wrote so far, to stdout and stderr. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** Waits for a line that fits. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = { signal: AbortSignal.timeout(60_000) };
    for (;;) {
      for (const line of this.#lines) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      await Promise.race([once(this.#onLine, 'line', deadline), this.failure]);
    }
  }

  /** Asks it to end, and waits for that. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.end();
  }

  /** Waits for its end, 60 s at most. @returns its exit code; null when a signal killed it */
  async end(): Promise<number | null> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 60_000);
    const exitCode = await this.#exitCode;
    clearTimeout(timer);
    return exitCode;
  }

  /** A test that fails leaves nothing behind. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:KVS_|AWS_|NODE_TEST)/.test(name)),
  );
}
