/** A TCP path that can be cut, delayed, stalled and refused. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** Where a relay listens or connects to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `stall`: connections stand and nothing passes, new ones included; `refuse`: none is accepted. */
export type TcpCondition = 'pass' | 'stall' | 'refuse';

export class TcpRelay {
  readonly #listenAt: Address;
  readonly #target: Address;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #condition: TcpCondition = 'pass';
  #delayMs = 0;

  constructor(listenAt: Address, target: Address) {
    this.#listenAt = listenAt;
    this.#target = target;
  }

  async listen(): Promise<void> {
    this.#server = createServer((incoming) => {
      this.#join(incoming);
    });
    this.#server.listen(this.#listenAt.port, this.#listenAt.host);
    await once(this.#server, 'listening');
  }

  /** What happens to connections from now on, those that stand included. */
  async set(condition: TcpCondition, delayMs = 0): Promise<void> {
    const wasRefused = this.#condition === 'refuse';
    this.#condition = condition;
    this.#delayMs = delayMs;
    if (condition === 'refuse') {
      this.#server?.close();
      this.#server = undefined;
      this.cut();
    } else if (wasRefused) {
      await this.listen();
    }
    for (const socket of this.#sockets) {
      if (condition === 'stall') socket.pause();
      else socket.resume();
    }
  }

  /** Resets every connection. @returns how many sockets that were */
  cut(): number {
    const count = this.#sockets.size;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return count;
  }

  #join(incoming: Socket): void {
    const outgoing = connect(this.#target);
    this.#carry(incoming, outgoing);
    this.#carry(outgoing, incoming);
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    if (this.#condition === 'stall') from.pause();
    const line = new DelayLine();
    const later = (act: () => void): void => {
      line.push(act, this.#delayMs);
    };
    from.on('data', (chunk: Buffer) => {
      later(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (this.#condition !== 'stall') from.resume();
        });
      });
    });
    from.on('end', () => {
      later(() => to.end());
    });
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      later(() => to.destroy());
    });
  }
}

/** Does things later, each after those before, whatever their delays. */
class DelayLine {
  readonly #queue: { readonly dueMs: number; readonly act: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(act: () => void, delayMs: number): void {
    if (this.#queue.length === 0 && delayMs === 0) {
      act();
      return;
    }
    this.#queue.push({ dueMs: performance.now() + delayMs, act });
    this.#arm();
  }

  #arm(): void {
    const [head] = this.#queue;
    if (head === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#queue.shift();
        head.act();
        this.#arm();
      },
      Math.max(0, head.dueMs - performance.now()),
    );
  }
}
