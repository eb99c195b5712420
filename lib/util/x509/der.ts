/** As much of DER as a certificate needs (ITU-T X.690). */

const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value with its tag and length. */
export function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => der(Tag.sequence, ...items);
export const set = (...items: readonly Buffer[]): Buffer => der(Tag.set, ...items);
export const octetString = (...content: readonly Buffer[]): Buffer =>
  der(Tag.octetString, ...content);
export const utf8String = (text: string): Buffer => der(Tag.utf8String, Buffer.from(text));
export const trueValue = der(Tag.boolean, Buffer.from([0xff]));

/** A non-negative integer, big-endian. */
export function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.from([0]) : bytes.subarray(first);
  const isHigh = ((digits[0] ?? 0) & 0x80) !== 0;
  return der(Tag.integer, isHigh ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** @param unusedBits - at the end of the last byte */
export function bitString(content: Buffer, unusedBits = 0): Buffer {
  return der(Tag.bitString, Buffer.from([unusedBits]), content);
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(Tag.oid, Buffer.from(bytes));
}

/** A time; certificates write years before 2050 short (RFC 5280, section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const isShort = date.getUTCFullYear() < 2050;
  return isShort
    ? der(Tag.utcTime, Buffer.from(digits.slice(2)))
    : der(Tag.generalizedTime, Buffer.from(digits));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
