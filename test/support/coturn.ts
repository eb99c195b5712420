/** A real TURN server on loopback, with credentials that end, as the service's do. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';

/** coturn, for UDP, TCP and TLS. */
export class Coturn implements AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, tlsPort: number) {
    this.#child = child;
    this.port = port;
    this.tlsPort = tlsPort;
  }

  /** @param tlsFolder - holds `cert.pem` and `key.pem` */
  static async start(secret: string, tlsFolder: string): Promise<Coturn> {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const child = spawn(
      'turnserver',
      [
        '-n',
        '--listening-ip=127.0.0.1',
        `--listening-port=${port}`,
        '--relay-ip=127.0.0.1',
        '--realm=kvs-bridge.test',
        '--use-auth-secret',
        `--static-auth-secret=${secret}`,
        `--tls-listening-port=${tlsPort}`,
        `--cert=${join(tlsFolder, 'cert.pem')}`,
        `--pkey=${join(tlsFolder, 'key.pem')}`,
        ...['--no-dtls', '--no-cli', '--verbose'],
        ...['--log-file=stdout', '--simple-log', '--pidfile=/dev/null'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error('the TURN server ended at once'));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('UDP listener opened')) resolve();
      });
    });
    return new Coturn(child, port, tlsPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
