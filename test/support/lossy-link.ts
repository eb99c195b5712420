/**
 * A network that loses, delays, reorders and repeats packets: two UDP sockets between two peers, in
 * user space, so that it needs neither root nor kernel modules. Each peer is told a socket of the
 * link as the other's only candidate.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

/** What happens to packets, in both directions. All default to nothing. */
export interface LinkConditions {
  /** Each way. */
  readonly delayMs?: number;
  /** Added to each packet's delay, evenly from 0 to this; order is kept. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  /** Packets lost in a row, on average. @defaultValue 1 */
  readonly burstPackets?: number;
  /** Packets that overtake those of the last few milliseconds. */
  readonly reorderPercent?: number;
  readonly duplicatePercent?: number;
}

/** The side of the link that a peer is on. */
export type LinkSide = 'receiver' | 'publisher';

interface End {
  readonly socket: Socket;
  /** Where the peer on this side listens, once known. */
  peer: { port: number; address: string } | undefined;
  lastDueMs: number;
  losing: boolean;
}

const candidatePattern = /^(candidate:\S+ \d+ \S+ \d+) (\S+) (\d+) (typ host.*)$/;
const overtakenMs = 15;

/** An address that peers send from: those that are bound to it cannot reach 127.0.0.1. */
function localAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return own?.address ?? '127.0.0.1';
}

export class LossyLink implements AsyncDisposable {
  readonly #ends: Record<LinkSide, End>;
  readonly #timers = new Set<NodeJS.Timeout>();
  #conditions: LinkConditions = {};
  #random: number;

  private constructor(receiver: Socket, publisher: Socket, seed: number) {
    const end = (socket: Socket): End => ({
      socket,
      peer: undefined,
      lastDueMs: 0,
      losing: false,
    });
    this.#ends = { receiver: end(receiver), publisher: end(publisher) };
    this.#random = seed;
    receiver.on('message', (packet) => {
      this.#carry(packet, this.#ends.publisher);
    });
    publisher.on('message', (packet) => {
      this.#carry(packet, this.#ends.receiver);
    });
  }

  /** @param seed - of what is lost; the times of packets differ from run to run all the same */
  static async open(seed: number): Promise<LossyLink> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of sockets) {
      socket.bind(0, localAddress());
      await once(socket, 'listening');
    }
    return new LossyLink(...sockets, seed);
  }

  /** From now on packets fare like this. */
  set(conditions: LinkConditions): void {
    this.#conditions = conditions;
  }

  /**
   * Takes a candidate of the peer on `side` and returns what to tell the other peer instead, or
   * `undefined` for those after the first and those that are no UDP host candidates.
   */
  replaceCandidate(side: LinkSide, candidate: string): string | undefined {
    const [, head, address, port, tail] = candidatePattern.exec(candidate) ?? [];
    const end = this.#ends[side];
    if (head === undefined || address === undefined || tail === undefined) return undefined;
    const usable = head.toUpperCase().includes(' UDP ') && address.includes('.');
    if (!usable || end.peer !== undefined) return undefined;
    end.peer = { address, port: Number(port) };
    const other = this.#ends[side === 'receiver' ? 'publisher' : 'receiver'];
    const own = other.socket.address();
    return `${head} ${own.address} ${String(own.port)} ${tail}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(
      Object.values(this.#ends).map(async ({ socket }) => {
        socket.close();
        await once(socket, 'close');
      }),
    );
  }

  #carry(packet: Buffer, to: End): void {
    if (this.#isLost(to)) return;
    this.#send(packet, to);
    if (this.#happens(this.#conditions.duplicatePercent)) this.#send(packet, to);
  }

  #isLost(to: End): boolean {
    const { lossPercent = 0, burstPackets = 1 } = this.#conditions;
    // Two states (Gilbert): bursts end with probability 1/length and begin often enough for the rest.
    const probability = lossPercent / 100;
    const begins = probability / (burstPackets * (1 - probability));
    to.losing = this.#next() < (to.losing ? 1 - 1 / burstPackets : begins);
    return to.losing;
  }

  #send(packet: Buffer, to: End): void {
    const { delayMs = 0, jitterMs = 0, reorderPercent } = this.#conditions;
    const nowMs = performance.now();
    let dueMs = nowMs + delayMs + this.#next() * jitterMs;
    if (this.#happens(reorderPercent)) {
      dueMs += overtakenMs;
    } else {
      dueMs = to.lastDueMs = Math.max(dueMs, to.lastDueMs);
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (to.peer !== undefined) to.socket.send(packet, to.peer.port, to.peer.address);
    }, dueMs - nowMs);
    this.#timers.add(timer);
  }

  #happens(percent = 0): boolean {
    return this.#next() * 100 < percent;
  }

  /** mulberry32: small, seeded, even. */
  #next(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
