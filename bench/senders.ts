/** The masters that are recorded: one cheap native process sends to every viewer of every channel. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SignalingClient } from '../lib/signaling/signaling-client.js';
import { end } from './child.js';
import { own } from './leftovers.js';
import type { ServiceAccess } from './service.js';

/** A viewer that was answered. */
interface Viewer {
  readonly offer: string;
  readonly id: number;
}

/** How the process hears and says what concerns one viewer. */
interface Reply {
  answer(sdp: string): void;
  candidate(candidate: string, sdpMLineIndex: number): void;
}

/** One process of any number of senders; each channel joined is a master. */
export class Senders implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #clients: SignalingClient[] = [];
  readonly #replies = new Map<number, Reply>();
  #lastId = 0;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [verb, id = '', first = '', ...rest] = line.split(' ');
      const reply = this.#replies.get(Number(id));
      if (verb === 'answer') reply?.answer(Buffer.from(first, 'base64').toString());
      if (verb === 'candidate') reply?.candidate(rest.join(' '), Number(first));
    });
  }

  /** Encodes what will be sent; resolves when it can be. */
  static async start(executable: string, codec: 'h264' | 'vp8'): Promise<Senders> {
    const child = own(spawn(executable, [codec], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await once(child.stdout, 'readable');
    return new Senders(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Joins a channel as its master. */
  async serve({ endpoint, ...channel }: ServiceAccess): Promise<void> {
    const client = new SignalingClient({ role: 'MASTER', endpoint: endpoint.master, ...channel });
    const viewers = new Map<string, Viewer>();
    client.on('offer', ({ sdp, senderClientId: viewer }) => {
      // A viewer repeats its offer until it sees the answer.
      if (viewer === undefined || viewers.get(viewer)?.offer === sdp) return;
      const old = viewers.get(viewer);
      if (old !== undefined) this.#write(`close ${old.id}`);
      const id = (this.#lastId += 1);
      viewers.set(viewer, { offer: sdp, id });
      this.#replies.set(id, {
        answer: (answer) => client.sendAnswer(answer, viewer),
        candidate: (candidate, sdpMLineIndex) => {
          client.sendCandidate({ candidate, sdpMLineIndex }, viewer);
        },
      });
      this.#write(`offer ${id} ${Buffer.from(sdp).toString('base64')}`);
    });
    client.on('candidate', ({ senderClientId, candidate: { candidate, sdpMLineIndex } }) => {
      const id = viewers.get(senderClientId ?? '')?.id;
      if (id !== undefined) this.#write(`candidate ${id} ${sdpMLineIndex ?? 0} ${candidate}`);
    });
    await client.connect();
    this.#clients.push(client);
  }

  /** Ends every stream; viewers that come later are served. */
  closeAll(): void {
    for (const id of this.#replies.keys()) this.#write(`close ${id}`);
    this.#replies.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await end(this.#child);
  }

  #write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }
}
