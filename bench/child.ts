/** Processes of the benchmarks: forked ones that answer messages, and the end of any. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { own } from './leftovers.js';

const endLimitMs = 20_000;
const answerLimitMs = 120_000;

/** Ends a process in order, or after a while out of order. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
  await exit;
  clearTimeout(limit);
}

/** A module of this folder in a process of its own. */
export class ForkedModule<TOut extends { readonly type: string }> implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(file: string, args: readonly string[] = []) {
    this.#child = own(
      fork(new URL(file, import.meta.url), args, {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        // What a library thinks of this Node version says nothing of the measurement.
        env: { ...process.env, NODE_NO_WARNINGS: '1' },
      }),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: { readonly type: string }): void {
    this.#child.send(message);
  }

  /** The next message of this type. */
  async next<TType extends TOut['type']>(type: TType): Promise<Extract<TOut, { type: TType }>> {
    const signal = AbortSignal.timeout(answerLimitMs);
    for (;;) {
      const [message] = (await once(this.#child, 'message', { signal })) as [TOut];
      if (message.type === type) return message as Extract<TOut, { type: TType }>;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}
