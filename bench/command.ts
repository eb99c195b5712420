/** The project's own commands as child processes, driven by their NDJSON events. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { end } from './child.js';
import { own } from './leftovers.js';
import { familyOf } from './process-usage.js';
import { channelName } from './service.js';
import type { Service } from './service.js';

/** One line of a command's `--json` output. */
export interface CommandEvent {
  readonly event: string;
  readonly [member: string]: unknown;
}

const thisBuild = new URL('..', import.meta.url).pathname;

/** A running `kvs-bridge` command. */
export class Command implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #events: CommandEvent[] = [];
  readonly #waiting = new Set<() => void>();

  /** @param build - folder of another build to run, such as an older one's `dist` */
  constructor(args: readonly string[], build = thisBuild) {
    const command = join(build, 'bin', 'kvs-bridge.js');
    this.#child = own(
      spawn(process.execPath, [command, ...args, '--json'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
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
    return familyOf(this.pid);
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
    await end(this.#child);
  }
}

/** Records channel `index` of the service with `kvs-bridge start`. */
export function startRecording(service: Service, index: number, build?: string): Command {
  const name = channelName(index);
  const place = ['--local', service.url, '--ca-file', service.caFile];
  const spool = ['--spool-dir', join(service.folder, 'spool')];
  const what = ['--channel', name, '--stream', name, '--sink', 'putmedia'];
  return new Command(['start', ...what, ...place, ...spool], build);
}
