/** Writes Matroska elements. Sizes take 8 bytes where they are patched later, else what they need. */

/** An element with its payload, or with its children. */
export function element(id: number, ...payload: readonly Buffer[]): Buffer {
  const size = payload.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([idBytes(id), sizeBytes(size), ...payload]);
}

/** The header of an element whose payload follows elsewhere; always with an 8-byte size. */
export function elementHeader(id: number, size: number): Buffer {
  return Buffer.concat([idBytes(id), wideSizeBytes(size)]);
}

/** The header of a master whose end is not known. */
export function unknownSizeHeader(id: number): Buffer {
  return Buffer.concat([idBytes(id), Buffer.from([0x01, 255, 255, 255, 255, 255, 255, 255])]);
}

/** An unsigned integer element, in as few bytes as it needs. */
export function uintElement(id: number, value: number): Buffer {
  return element(id, uintBytes(value));
}

/** An unsigned integer element of 8 bytes, to be patched in place. */
export function wideUintElement(id: number, value: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64BE(BigInt(value));
  return element(id, payload);
}

/** A float element of 8 bytes. */
export function floatElement(id: number, value: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeDoubleBE(value);
  return element(id, payload);
}

/** A UTF-8 string element. */
export function stringElement(id: number, value: string): Buffer {
  return element(id, Buffer.from(value));
}

/** The bytes of an id, which carries its own length marker. */
export function idBytes(id: number): Buffer {
  const length = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(id, 0, length);
  return bytes;
}

function sizeBytes(size: number): Buffer {
  for (let length = 1; length < 5; length += 1) {
    // All ones is reserved for "unknown".
    if (size < 2 ** (7 * length) - 1) {
      const bytes = Buffer.alloc(length);
      bytes.writeUIntBE(size + 2 ** (7 * length), 0, length);
      return bytes;
    }
  }
  return wideSizeBytes(size);
}

function wideSizeBytes(size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE((1n << 56n) | BigInt(size));
  return bytes;
}

function uintBytes(value: number): Buffer {
  let length = 1;
  while (value >= 2 ** (8 * length)) length += 1;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - length);
}
