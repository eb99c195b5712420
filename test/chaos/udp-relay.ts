/** A UDP path to one server that loses, delays and reorders packets, for any number of clients. */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { Impairment } from '../support/impairment.js';
import type { LinkConditions } from '../support/impairment.js';
import { SeededRandom } from '../support/random.js';
import type { Address } from './tcp-relay.js';

export class UdpRelay {
  readonly #server = createSocket('udp4');
  readonly #target: Address;
  readonly #clients = new Map<string, Socket>();
  readonly #random: SeededRandom;
  readonly #out: Impairment;
  #conditions: LinkConditions = {};

  constructor(target: Address, seed: number) {
    this.#target = target;
    this.#random = new SeededRandom(seed);
    this.#out = new Impairment(this.#random);
    this.#server.on('message', (packet, from) => {
      const socket = this.#socketOf(from);
      this.#out.carry(this.#conditions, () => {
        socket.send(packet, this.#target.port, this.#target.host);
      });
    });
  }

  async listen({ host, port }: Address): Promise<void> {
    this.#server.bind(port, host);
    await once(this.#server, 'listening');
  }

  set(conditions: LinkConditions): void {
    this.#conditions = conditions;
  }

  #socketOf({ address, port }: RemoteInfo): Socket {
    const key = `${address}:${String(port)}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    const back = new Impairment(this.#random);
    socket.on('message', (packet) => {
      back.carry(this.#conditions, () => {
        this.#server.send(packet, port, address);
      });
    });
    // The server is down: its host says so, and the client hears nothing.
    socket.on('error', () => undefined);
    this.#clients.set(key, socket);
    return socket;
  }
}
