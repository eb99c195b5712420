/** Variable-size integers of EBML (RFC 8794, section 4). */
import { MkvError } from './mkv-error.js';

/** Bytes of the id that begins with this byte. */
export function idLength(firstByte: number): number {
  const length = Math.clz32(firstByte) - 23;
  if (length > 4) throw new MkvError('An element id is longer than 4 bytes');
  return length;
}

/** Bytes of the size that begins with this byte. */
export function sizeLength(firstByte: number): number {
  const length = Math.clz32(firstByte) - 23;
  if (length > 8) throw new MkvError('An element size is longer than 8 bytes');
  return length;
}

/** Reads a size or a track number; undefined is the reserved value "unknown". */
export function readVint(bytes: Buffer, offset: number, length: number): number | undefined {
  const marker = 0x80 >> (length - 1);
  let value = (bytes[offset] ?? 0) & (marker - 1);
  let allOnes = value === marker - 1;
  for (let index = 1; index < length; index += 1) {
    const byte = bytes[offset + index] ?? 0;
    value = value * 256 + byte;
    allOnes &&= byte === 0xff;
  }
  if (allOnes) return undefined;
  if (!Number.isSafeInteger(value)) throw new MkvError('An element size is beyond 2^53');
  return value;
}
