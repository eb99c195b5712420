/** Joins a channel as Viewer with the bare C receiver: the floor of what receiving costs. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SignalingClient } from '../lib/signaling/signaling-client.js';
import { end } from './child.js';
import { own } from './leftovers.js';
import type { ServiceAccess } from './service.js';

/** The same as the bridge's own default. */
const jitterBufferMs = 300;

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

  /** Starts the receiver, passes its lines on to the channel and back, and waits for media. */
  static async start(
    executable: string,
    { endpoint, ...channel }: ServiceAccess,
  ): Promise<FloorViewer> {
    const signaling = new SignalingClient({
      role: 'VIEWER',
      clientId: 'bench-floor',
      endpoint: endpoint.viewer,
      ...channel,
    });
    await signaling.connect();
    const child = own(
      spawn(executable, ['--latency-ms', String(jitterBufferMs)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    signaling.on('answer', ({ sdp }) => {
      child.stdin.write(`answer ${Buffer.from(sdp).toString('base64')}\n`);
    });
    signaling.on('candidate', ({ candidate: { candidate, sdpMLineIndex } }) => {
      child.stdin.write(`candidate ${String(sdpMLineIndex ?? 0)} ${candidate}\n`);
    });
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [verb = '', first = '', ...rest] = line.split(' ');
        if (verb === 'offer') signaling.sendOffer(Buffer.from(first, 'base64').toString());
        if (verb === 'candidate') {
          signaling.sendCandidate({ candidate: rest.join(' '), sdpMLineIndex: Number(first) });
        }
        if (verb === 'connected') resolve();
        if (verb === 'error') reject(new Error(line));
      });
    });
    return new FloorViewer(child, signaling);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signaling.close();
    await end(this.#child);
  }
}
