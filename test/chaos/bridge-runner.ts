/** Runs a bridge and starts it again whenever it ends, as a service manager does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliEvent } from '../support/cli.js';
import { eventThat } from '../support/events.js';
import type { Place } from './network.js';

const restartDelayMs = 500;

/** An event of the command, or that its process ended (`exit`), with our own time. */
export type BridgeEvent = CliEvent & { readonly atMs: number };

/** Frame counts of all processes so far, each as of its last word. */
export interface BridgeCounts {
  readonly received: number;
  readonly stored: number;
  readonly lost: number;
  readonly pending: number;
  readonly starts: number;
}

/** What a {@link BridgeRunner} runs. */
export interface BridgeRunnerOptions {
  readonly place: Place;
  /** Script and arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface BridgeRunnerEvents {
  event: [event: BridgeEvent];
}

export class BridgeRunner extends EventEmitter<BridgeRunnerEvents> implements AsyncDisposable {
  readonly events: BridgeEvent[] = [];
  readonly #options: BridgeRunnerOptions;
  readonly #totals: CliEvent[] = [];
  readonly #seenMedia = new Set<number>();
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #isWanted = false;
  #errors = '';

  constructor(options: BridgeRunnerOptions) {
    super();
    this.#options = options;
  }

  /** The state that it told last. */
  get state(): string {
    const last = this.events.findLast(({ event }) => event === 'state' || event === 'exit');
    return last?.event === 'state' ? String(last['state']) : 'stopped';
  }

  /** What it wrote to stderr last. */
  get errors(): string {
    return this.#errors;
  }

  get counts(): BridgeCounts {
    const sum = (field: string): number =>
      this.#totals.reduce((total, event) => total + Number(event[field] ?? 0), 0);
    return {
      received: sum('framesReceived'),
      stored: sum('framesStored'),
      lost: sum('framesLost'),
      pending: sum('framesPending'),
      starts: this.#totals.length,
    };
  }

  /** undefined while none runs. */
  get pid(): number | undefined {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  /** Of the media processes that run right now. */
  get mediaPids(): readonly number[] {
    const pid = String(this.pid ?? 0);
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
      return children.trim().split(' ').filter(Boolean).map(Number);
    } catch {
      // It ended just now.
      return [];
    }
  }

  start(): void {
    this.#isWanted = true;
    const { place, env } = this.#options;
    const [command = '', ...args] = place.command([process.execPath, ...this.#options.command]);
    const child = spawn(command, args, {
      env: { ...ownEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const index = this.#totals.push({ event: 'totals' }) - 1;
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-8_000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as CliEvent;
      if (event.event === 'totals' || event.event === 'stopped') this.#totals[index] = event;
      this.#tell(event);
    });
    this.#exited = once(child, 'exit').then(async ([exitCode, signal]) => {
      this.#tell({ event: 'exit', exitCode: exitCode as unknown, signal: signal as unknown });
      if (this.#isWanted) await delay(restartDelayMs);
      this.#restart();
    });
  }

  /** To the process itself, or to its media processes. */
  signal(signal: NodeJS.Signals, to: 'bridge' | 'media' = 'bridge'): void {
    const mediaPids = this.mediaPids;
    for (const pid of mediaPids) this.#seenMedia.add(pid);
    for (const pid of to === 'media' ? mediaPids : [this.pid]) send(signal, pid);
  }

  /** SIGKILL to all of its processes at once. @returns whether it ran */
  killAll(): boolean {
    const { pid, mediaPids } = this;
    // The media processes first would be replaced.
    for (const each of [pid, ...mediaPids]) send('SIGKILL', each);
    return pid !== undefined;
  }

  /** The next event that fits; `undefined` when none came within `limitMs`. */
  async next(
    fits: (event: BridgeEvent) => boolean,
    limitMs: number,
  ): Promise<BridgeEvent | undefined> {
    const waiting = eventThat<BridgeRunnerEvents, 'event'>(this, 'event', fits, limitMs);
    return waiting.then(
      ([event]) => event,
      () => undefined,
    );
  }

  /** Ends it in order and does not start it again. @returns its exit code, null when killed */
  async stop(limitMs: number): Promise<number | null> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === undefined) return 0;
    const running = child.exitCode === null && child.signalCode === null;
    const exited = running ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await exited;
    clearTimeout(timer);
    await this.#exited;
    return child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
    // One that was stopped and lost its parent would stay for ever.
    for (const pid of this.#seenMedia) if (isMediaProcess(pid)) send('SIGKILL', pid);
  }

  #restart(): void {
    if (this.#isWanted) this.start();
  }

  #tell(event: CliEvent): void {
    const told = { ...event, atMs: Date.now() };
    this.events.push(told);
    this.emit('event', told);
  }
}

function send(signal: NodeJS.Signals, pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended just now.
  }
}

/** Process ids are used again. */
function isMediaProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('media/worker.js');
  } catch {
    return false;
  }
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:KVS_BRIDGE_|AWS_)/.test(name)),
  );
}
