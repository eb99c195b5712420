/** The project's own commands as child processes, driven by their NDJSON events. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One line of a command's `--json` output. */
export interface CommandEvent {
  readonly event: string;
  readonly [member: string]: unknown;
}

const command = new URL('../bin/kvs-bridge.js', import.meta.url).pathname;
const endLimitMs = 20_000;

/** A running `kvs-bridge` command. */
export class Command implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #events: CommandEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [command, ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (this.#child.stdout === null) throw new TypeError('no stdout');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line) as CommandEvent);
      for (const check of this.#waiting) check();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The process and those it started. */
  get pids(): readonly number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return [this.pid, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
  }

  /** Every event so far. */
  get events(): readonly CommandEvent[] {
    return this.#events;
  }

  /** Resolves with the first event that fits, past ones included. */
  async event(fits: (event: CommandEvent) => boolean, limitMs = 30_000): Promise<CommandEvent> {
    const expired = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no such event of ${this.#child.spawnargs.slice(2).join(' ')}`));
      }, limitMs);
      timer.unref();
    });
    // It may expire long after the event was found.
    expired.catch(() => undefined);
    for (;;) {
      const found = this.#events.find(fits);
      if (found !== undefined) return found;
      const arrived = new Promise<void>((resolve) => {
        const check = (): void => {
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
      await Promise.race([arrived, expired]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), endLimitMs);
    await exit;
    clearTimeout(limit);
  }
}
