/**
 * A network that loses, delays, reorders and repeats packets: two UDP sockets between two peers, in
 * user space, so that it needs neither root nor kernel modules. Each peer is told a socket of the
 * link as the other's only candidate.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { Impairment } from './impairment.js';
import type { LinkConditions } from './impairment.js';
import { SeededRandom } from './random.js';

export type { LinkConditions } from './impairment.js';

/** The side of the link that a peer is on. */
export type LinkSide = 'receiver' | 'publisher';

/** What becomes of a packet before the conditions apply; undefined: it never arrives. */
export type PacketIntercept = (packet: Buffer, from: LinkSide) => Buffer | undefined;

interface End {
  readonly socket: Socket;
  /** Where the peer on this side listens, once known. */
  peer: { port: number; address: string } | undefined;
  /** Of the packets that go to it. */
  readonly impairment: Impairment;
}

const candidatePattern = /^(candidate:\S+ \d+ \S+ \d+) (\S+) (\d+) (typ host.*)$/;

/** An address that peers send from: those that are bound to it cannot reach 127.0.0.1. */
function localAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return own?.address ?? '127.0.0.1';
}

export class LossyLink implements AsyncDisposable {
  readonly #ends: Record<LinkSide, End>;
  #conditions: LinkConditions = {};
  #intercept: PacketIntercept | undefined;

  private constructor(receiver: Socket, publisher: Socket, seed: number) {
    const random = new SeededRandom(seed);
    const end = (socket: Socket): End => ({
      socket,
      peer: undefined,
      impairment: new Impairment(random),
    });
    this.#ends = { receiver: end(receiver), publisher: end(publisher) };
    receiver.on('message', (packet) => {
      this.#carry(packet, 'receiver', this.#ends.publisher);
    });
    publisher.on('message', (packet) => {
      this.#carry(packet, 'publisher', this.#ends.receiver);
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

  /** From now on packets pass here first. */
  intercept(intercept: PacketIntercept): void {
    this.#intercept = intercept;
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
    await Promise.all(
      Object.values(this.#ends).map(async ({ socket, impairment }) => {
        impairment[Symbol.dispose]();
        socket.close();
        await once(socket, 'close');
      }),
    );
  }

  #carry(sent: Buffer, from: LinkSide, to: End): void {
    const packet = this.#intercept === undefined ? sent : this.#intercept(sent, from);
    if (packet === undefined) return;
    to.impairment.carry(this.#conditions, () => {
      if (to.peer !== undefined) to.socket.send(packet, to.peer.port, to.peer.address);
    });
  }
}
