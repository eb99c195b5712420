/** Programs of the image while they run, and the events that they write with --json. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { rootCommand } from './root.mjs';

/** One container: the image's root, and a process 1. */
export class RunningContainer {
  /** @type {object[]} the events so far */
  events = [];
  /** @type {string[]} what else was written, and the log */
  lines = [];
  /** When it was started, as performance.now() tells it. */
  startedAt = performance.now();
  #child;
  #exited;
  #waiting = new Set();

  /**
   * @param {string} root
   * @param {import('./root.mjs').RootSettings} settings
   * @param {readonly string[]} command with its entrypoint
   */
  constructor(root, settings, command) {
    const { command: program, args, env } = rootCommand(root, settings, command);
    this.#child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.lines.push(line));
    this.#exited.then(() => this.#waiting.forEach((check) => check()));
  }

  /** @param {string} line */
  #take(line) {
    if (!line.startsWith('{')) {
      this.lines.push(line);
      return;
    }
    this.events.push({ ...JSON.parse(line), arrivedMs: performance.now() - this.startedAt });
    this.#waiting.forEach((check) => check());
  }

  /**
   * Waits for an event, which may have come already.
   *
   * @param {(event: any) => boolean} wanted
   * @param {string} name what to call it when it does not come
   * @param {number} [timeoutMs]
   * @returns {Promise<any>}
   */
  async event(wanted, name, timeoutMs = 60_000) {
    return new Promise((resolve, reject) => {
      const settle = (outcome) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        outcome();
      };
      const check = () => {
        const found = this.events.find(wanted);
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#hasExited()) settle(() => reject(this.#error(`it ended without ${name}`)));
      };
      const timer = setTimeout(
        () => settle(() => reject(this.#error(`no ${name} in ${timeoutMs / 1000} s`))),
        timeoutMs,
      );
      this.#waiting.add(check);
      check();
    });
  }

  #hasExited() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @param {string} message */
  #error(message) {
    return new Error(`${message}; last lines:\n${this.lines.slice(-15).join('\n')}`);
  }

  /** @returns {number} its process 1, by the host's number */
  get firstProcess() {
    const { pid } = this.#child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? pid : Number(children);
  }

  /** @returns {Promise<number | null>} the exit code, when it has ended by itself */
  async ended() {
    const [exitCode] = await this.#exited;
    return exitCode;
  }

  /**
   * Does what `docker stop` does, without its patience: SIGTERM to process 1.
   *
   * @returns {Promise<number | null>} the exit code
   */
  async stop() {
    if (!this.#hasExited()) process.kill(this.firstProcess, 'SIGTERM');
    return this.ended();
  }

  async [Symbol.asyncDispose]() {
    // Not to unshare: what changed its user does not die with its parent.
    if (!this.#hasExited()) process.kill(this.firstProcess, 'SIGKILL');
    await this.#exited;
  }
}

/**
 * What `await using` does, which Node 20 does not know yet.
 *
 * @template T
 * @param {(use: <R extends AsyncDisposable>(resource: R) => R) => Promise<T>} work what it passes to
 * `use` is disposed of after it, the last first
 * @returns {Promise<T>}
 */
export async function scoped(work) {
  const resources = [];
  const use = (resource) => {
    resources.push(resource);
    return resource;
  };
  try {
    return await work(use);
  } finally {
    for (const resource of resources.reverse()) await resource[Symbol.asyncDispose]();
  }
}
