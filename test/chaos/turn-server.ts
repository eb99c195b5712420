/** coturn, with credentials that end, as the service's do. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Place } from './network.js';

export const turnSecret = 'shared-with-the-turn-server';

export class TurnServer implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(place: Place, port: number): Promise<TurnServer> {
    const [command = '', ...args] = place.command([
      'turnserver',
      '-n',
      `--listening-ip=${place.address}`,
      `--listening-port=${String(port)}`,
      `--relay-ip=${place.address}`,
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
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error('the TURN server ended at once'));
      });
      lines.on('line', (line) => {
        if (line.includes('UDP listener opened')) resolve();
      });
    });
    return new TurnServer(child);
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
