/** coturn, with credentials that end, as the service's do. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Shared with whoever hands out credentials. */
export const turnSecret = 'shared-with-the-turn-server';

/** Options of {@link TurnServer.start}. */
export interface TurnServerOptions {
  /** It listens there, and relays from there. */
  readonly address: string;
  readonly port: number;
  /** What to execute to run a command in its place. @defaultValue the command itself */
  readonly command?: (command: readonly string[]) => readonly string[];
}

export class TurnServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  #allocations = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** It listens when this resolves. */
  static async start({
    address,
    port,
    command = (own) => own,
  }: TurnServerOptions): Promise<TurnServer> {
    const [file = '', ...args] = command([
      'turnserver',
      '-n',
      `--listening-ip=${address}`,
      `--listening-port=${String(port)}`,
      `--relay-ip=${address}`,
      '--realm=kvs-bridge.test',
      '--use-auth-secret',
      `--static-auth-secret=${turnSecret}`,
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--verbose',
      '--log-file=stdout',
      '--simple-log',
      '--pidfile=/dev/null',
    ]);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const server = new TurnServer(child);
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error('the TURN server ended at once'));
      });
      lines.on('line', (line) => {
        if (line.includes('UDP listener opened')) resolve();
        if (line.includes('ALLOCATE processed, success')) server.#allocations += 1;
      });
    });
    return server;
  }

  /** Relays that it gave out. */
  get allocations(): number {
    return this.#allocations;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
