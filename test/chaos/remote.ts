/** A script of this folder in a process of its own, asked over IPC. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Place } from './network.js';

/** What a process can be asked: the argument, and what comes back. */
export type Calls<T> = { readonly [Name in keyof T]: (argument: never) => unknown };

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Told {
  readonly told: string;
  readonly fields: unknown;
}

interface RemoteEvents {
  told: [name: string, fields: unknown];
  exit: [];
}

/** Answers the calls of the process that started this one, until it is gone. */
export function serve<T extends Calls<T>>(calls: T): void {
  process.on('message', (request: Request) => void answer(request));
  // Whoever started us is gone: so is what we are for.
  process.once('disconnect', () => process.exit(0));
  const answer = async ({ id, name, argument }: Request): Promise<void> => {
    try {
      const call = calls[name as keyof T] as unknown as (argument: unknown) => unknown;
      process.send?.({ id, result: await call(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? '') : String(error) });
    }
  };
}

/** Tells the process that started this one of something. */
export function tell(told: string, fields: unknown): void {
  process.send?.({ told, fields } satisfies Told);
}

export class Remote<T extends Calls<T>>
  extends EventEmitter<RemoteEvents>
  implements AsyncDisposable
{
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #errors = '';

  /** @param script - file name in this folder, such as `kvs-process.js` */
  constructor(place: Place, script: string, env: NodeJS.ProcessEnv = process.env) {
    super();
    this.#name = script;
    const file = fileURLToPath(new URL(script, import.meta.url));
    const [command = '', ...args] = place.command([process.execPath, file]);
    this.#child = spawn(command, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-4_000);
    });
    this.#child.on('message', (message: Answer | Told) => {
      if ('told' in message) this.emit('told', message.told, message.fields);
      else this.#waiting.get(message.id)?.(message);
    });
    this.#child.once('exit', () => {
      for (const [id, settle] of this.#waiting) settle({ id, error: `${script} ended` });
      this.emit('exit');
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote to stderr last. */
  get errors(): string {
    return this.#errors;
  }

  async call<TName extends keyof T & string>(
    name: TName,
    argument: Parameters<T[TName]>[0],
  ): Promise<Awaited<ReturnType<T[TName]>>> {
    const id = (this.#lastId += 1);
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, name, argument } satisfies Request, (error) => {
        if (error !== null) resolve({ id, error: error.message });
      });
    });
    this.#waiting.delete(id);
    if (answer.error !== undefined) {
      throw new Error(`${this.#name}: ${name}: ${answer.error}\n${this.#errors}`);
    }
    return answer.result as Awaited<ReturnType<T[TName]>>;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    // One that is stopped would never get to it.
    this.#child.kill('SIGCONT');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
