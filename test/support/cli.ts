/** The built command in a process of its own. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../bin/kvs-bridge.js', import.meta.url));

/** An event that `--json` wrote. */
export type CliEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** How a command ended. */
export interface CliEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The events, when it ran with `--json`. */
  readonly events: readonly CliEvent[];
}

/** A running command. Nothing of our own configuration or credentials reaches it. */
export class Cli implements Disposable {
  readonly child: ChildProcess;
  readonly #events: CliEvent[] = [];
  readonly #onEvent = new EventEmitter<{ event: [] }>();
  readonly #end: Promise<CliEnd>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = fork(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...ownEnvironment(), ...env },
    });
    const { stdout, stderr } = this.child;
    assert.ok(stdout !== null && stderr !== null);
    let out = '';
    let err = '';
    stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    createInterface(stdout).on('line', (line) => {
      out += `${line}\n`;
      if (args.includes('--json')) this.#events.push(JSON.parse(line) as CliEvent);
      this.#onEvent.emit('event');
    });
    // Not the child's `close`: after a disconnect by the parent it never comes.
    const written = Promise.all([once(stdout, 'close'), once(stderr, 'close')]);
    const exited = once(this.child, 'exit');
    this.#end = Promise.all([exited, written]).then(([[exitCode, signal]]) => ({
      exitCode: exitCode as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: out,
      stderr: err,
      events: this.#events,
    }));
  }

  /** Waits for an event that fits. */
  async until(event: string, fits: (event: CliEvent) => boolean = () => true): Promise<CliEvent> {
    const deadline = AbortSignal.timeout(20_000);
    for (;;) {
      const found = this.#events.find((seen) => seen.event === event && fits(seen));
      if (found !== undefined) return found;
      await Promise.race([
        once(this.#onEvent, 'event', { signal: deadline }),
        this.#end.then(({ stderr }) => assert.fail(`it ended before ${event}: ${stderr}`)),
      ]);
    }
  }

  /** A test that fails leaves nothing behind. */
  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }

  /** Waits for its end; kills it when that takes longer than `limitMs`. */
  async end(limitMs = 30_000): Promise<CliEnd> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), limitMs);
    const end = await this.#end;
    clearTimeout(timer);
    return end;
  }
}

/** Runs a command to its end. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliEnd> {
  return new Cli(args, env).end();
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:KVS_BRIDGE_|AWS_)/.test(name)),
  );
}
