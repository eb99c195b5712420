/**
 * Makes a self-signed certificate. Node has no writer for X.509, and the libraries that are bring
 * twenty packages for what is one fixed structure (RFC 5280).
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  der,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  trueValue,
  utf8String,
} from './der.js';

const Oid = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** A certificate and its private key (PKCS #8), as PEM. */
interface CertificateAndKey {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Apple's clients refuse more than 825 days. */
const validDays = 820;
const msPerDay = 86_400_000;

/**
 * A certificate with a P-256 key. It is its own authority, so that a client has one file to trust.
 *
 * @param commonName - of its subject and issuer
 * @param hosts - names and addresses of the server that shows it; without one it is for no server,
 *   but for DTLS, where a fingerprint vouches for it
 */
export function makeSelfSigned(
  commonName: string,
  hosts: readonly string[] = [],
  now = new Date(),
): CertificateAndKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(Oid.ecdsaWithSha256));
  const name = sequence(set(sequence(oid(Oid.commonName), utf8String(commonName))));
  const certificate = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    name,
    sequence(
      // Clocks of other machines may be behind.
      time(new Date(now.getTime() - msPerDay)),
      time(new Date(now.getTime() + validDays * msPerDay)),
    ),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(hosts.length === 0 ? [] : [der(0xa3, sequence(...extensions(hosts)))]),
  );
  const signature = sign('sha256', certificate, privateKey);
  return {
    certPem: pem('CERTIFICATE', sequence(certificate, algorithm, bitString(signature))),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(hosts: readonly string[]): Buffer[] {
  // digitalSignature and keyCertSign
  const usage = bitString(Buffer.from([0x84]), 2);
  return [
    sequence(oid(Oid.basicConstraints), trueValue, octetString(sequence(trueValue))),
    sequence(oid(Oid.keyUsage), trueValue, octetString(usage)),
    sequence(oid(Oid.extendedKeyUsage), octetString(sequence(oid(Oid.serverAuth)))),
    sequence(oid(Oid.subjectAltName), octetString(sequence(...hosts.map(generalName)))),
  ];
}

/** dNSName or iPAddress. */
function generalName(host: string): Buffer {
  return isIP(host) === 0 ? der(0x82, Buffer.from(host)) : der(0x87, addressBytes(host));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes IPv4 tails as groups and zeros as "::".
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined): number[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
