/** coturn, with credentials that end, as the service's do. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Shared with whoever hands out credentials. */
export const turnSecret = 'shared-with-the-turn-server';

/** Options of {@link TurnServer.start}. */
export interface TurnServerOptions {
  /** It listens there, and relays from there. */
  readonly address: string;
  readonly port: number;
  /** For TLS too; the folder holds `cert.pem` and `key.pem`. @defaultValue UDP and TCP alone */
  readonly tls?: { readonly port: number; readonly folder: string };
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
    tls,
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
      ...(tls === undefined
        ? ['--no-tls']
        : [
            `--tls-listening-port=${String(tls.port)}`,
            `--cert=${join(tls.folder, 'cert.pem')}`,
            `--pkey=${join(tls.folder, 'key.pem')}`,
          ]),
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
