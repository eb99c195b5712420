/** Where peers reach this machine. */
import { networkInterfaces } from 'node:os';

/** An address of this machine that a candidate may have: not loopback where there is another. */
export function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const ipv4 = addresses.filter(({ family }) => family === 'IPv4');
  return (ipv4.find(({ internal }) => !internal) ?? ipv4[0])?.address ?? '127.0.0.1';
}
