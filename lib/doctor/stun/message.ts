/** STUN messages (RFC 8489), as far as a binding and a TURN allocation (RFC 8656) need them. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { crc32 } from './crc32.js';

/** Methods with their class, as on the wire. */
export const StunType = {
  bindingRequest: 0x0001,
  bindingSuccess: 0x0101,
  allocateRequest: 0x0003,
  allocateSuccess: 0x0103,
  allocateError: 0x0113,
  refreshRequest: 0x0004,
} as const;

/** Attributes by their numbers. */
export const StunAttribute = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
} as const;

/** One attribute, without its padding. */
export interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

/** A message that was read. */
export interface StunMessage {
  readonly type: number;
  readonly transactionId: Buffer;
  readonly attributes: readonly Attribute[];
}

/** A message to send. */
export interface StunRequest {
  readonly type: number;
  /** 12 bytes. */
  readonly transactionId: Buffer;
  readonly attributes: readonly Attribute[];
  /** Adds MESSAGE-INTEGRITY. */
  readonly key?: Buffer;
}

export const headerBytes = 20;
const magicCookie = 0x2112_a442;
const fingerprintMask = 0x5354_554e;
const integrityBytes = 20;

/** An id that answers have to repeat. */
export function newTransactionId(): Buffer {
  return randomBytes(12);
}

/** The key of long-term credentials (RFC 8489, 9.2.2). */
export function longTermKey(username: string, realm: string, password: string): Buffer {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest();
}

/** A message as bytes, with a fingerprint at its end. */
export function encode({ type, transactionId, attributes, key }: StunRequest): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(magicCookie, 4);
  transactionId.copy(header, 8);
  let message: Buffer = Buffer.concat([header, ...attributes.map(encodeAttribute)]);
  if (key !== undefined) {
    // Both codes cover a header whose length counts themselves already.
    setLength(message, message.length - headerBytes + 4 + integrityBytes);
    const value = createHmac('sha1', key).update(message).digest();
    message = append(message, { type: StunAttribute.messageIntegrity, value });
  }
  setLength(message, message.length - headerBytes + 8);
  const value = Buffer.alloc(4);
  value.writeUInt32BE((crc32(message) ^ fingerprintMask) >>> 0);
  return append(message, { type: StunAttribute.fingerprint, value });
}

/** Reads a whole message; undefined when it is none. */
export function decode(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < headerBytes || bytes.length !== messageBytes(bytes)) return undefined;
  if (bytes.readUInt32BE(4) !== magicCookie) return undefined;
  const attributes: Attribute[] = [];
  for (let at = headerBytes; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 4 + length;
    if (end > bytes.length) return undefined;
    attributes.push({ type: bytes.readUInt16BE(at), value: bytes.subarray(at + 4, end) });
    at = at + 4 + padded(length);
  }
  return { type: bytes.readUInt16BE(0), transactionId: bytes.subarray(8, headerBytes), attributes };
}

/** How long the message is that begins here; undefined while its header is not complete. */
export function messageBytes(bytes: Buffer): number | undefined {
  return bytes.length < headerBytes ? undefined : headerBytes + bytes.readUInt16BE(2);
}

/** The value of an attribute; undefined without it. */
export function valueOf({ attributes }: StunMessage, type: number): Buffer | undefined {
  return attributes.find((attribute) => attribute.type === type)?.value;
}

/** An XOR-…-ADDRESS as `address:port`, or `[address]:port`. */
export function readXorAddress(value: Buffer, transactionId: Buffer): string | undefined {
  const family = value[1];
  const size = family === 1 ? 4 : family === 2 ? 16 : undefined;
  if (size === undefined || value.length !== 4 + size) return undefined;
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(magicCookie, 0);
  transactionId.copy(mask, 4);
  const port = value.readUInt16BE(2) ^ (magicCookie >>> 16);
  const address = value.subarray(4).map((byte, index) => byte ^ (mask[index] ?? 0));
  if (size === 4) return `${[...address].join('.')}:${port}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(address)
      .readUInt16BE(2 * index)
      .toString(16),
  );
  return `[${groups.join(':')}]:${port}`;
}

/** ERROR-CODE as its number and reason. */
export function readError(value: Buffer): { readonly code: number; readonly reason: string } {
  const code = (value[2] ?? 0) * 100 + (value[3] ?? 0);
  return { code, reason: value.subarray(4).toString('utf8') };
}

function encodeAttribute({ type, value }: Attribute): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function append(message: Buffer, attribute: Attribute): Buffer {
  return Buffer.concat([message, encodeAttribute(attribute)]);
}

function setLength(message: Buffer, length: number): void {
  message.writeUInt16BE(length, 2);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
