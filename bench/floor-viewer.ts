/** Joins a channel as Viewer with the bare C receiver: the floor of what receiving costs. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CredentialsSource } from '../lib/aws/credentials.js';
import { SignalingClient } from '../lib/signaling/signaling-client.js';

/** What it needs to join. */
export interface FloorViewerOptions {
  readonly executable: string;
  readonly channelArn: string;
  readonly endpoint: URL;
  readonly region: string;
  readonly credentials: CredentialsSource;
}

/** The running receiver. */
export class FloorViewer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #signaling: SignalingClient;

  private constructor(child: ChildProcess, signaling: SignalingClient) {
    this.#child = child;
    this.#signaling = signaling;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Starts the receiver and passes its lines on to the channel and back. */
  static async start(options: FloorViewerOptions): Promise<FloorViewer> {
    const signaling = new SignalingClient({ role: 'VIEWER', clientId: 'bench-floor', ...options });
    await signaling.connect();
    const child = spawn(options.executable, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    signaling.on('answer', ({ sdp }) => {
      child.stdin.write(`answer ${Buffer.from(sdp).toString('base64')}\n`);
    });
    signaling.on('candidate', ({ candidate: { candidate, sdpMLineIndex } }) => {
      child.stdin.write(`candidate ${String(sdpMLineIndex ?? 0)} ${candidate}\n`);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [verb = '', first = '', ...rest] = line.split(' ');
      if (verb === 'offer') signaling.sendOffer(Buffer.from(first, 'base64').toString());
      if (verb === 'candidate') {
        signaling.sendCandidate({ candidate: rest.join(' '), sdpMLineIndex: Number(first) });
      }
    });
    return new FloorViewer(child, signaling);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signaling.close();
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
  }
}
