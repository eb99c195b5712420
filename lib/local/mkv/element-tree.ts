/** Reads elements that are held whole: the children of a buffered master. */
import { MkvError } from './mkv-error.js';
import { idLength, readVint, sizeLength } from './vint.js';

/** One element inside a buffer. */
export interface MkvElement {
  readonly id: number;
  readonly payload: Buffer;
}

/**
 * The children of a master's payload, in order.
 *
 * @throws {@link MkvError} the payload does not divide into elements
 */
export function* childrenOf(payload: Buffer): Generator<MkvElement, void> {
  let offset = 0;
  while (offset < payload.length) {
    const idBytes = idLength(payload[offset] ?? 0);
    const sizeStart = payload[offset + idBytes];
    if (sizeStart === undefined) throw new MkvError('An element header is cut off');
    const headerBytes = idBytes + sizeLength(sizeStart);
    if (offset + headerBytes > payload.length) throw new MkvError('An element header is cut off');
    const size = readVint(payload, offset + idBytes, headerBytes - idBytes);
    const start = offset + headerBytes;
    if (size === undefined || start + size > payload.length) {
      throw new MkvError('An element reaches beyond its parent');
    }
    yield {
      id: payload.readUIntBE(offset, idBytes),
      payload: payload.subarray(start, start + size),
    };
    offset = start + size;
  }
}

/** The first child with this id. */
export function childOf(payload: Buffer, id: number): Buffer | undefined {
  for (const child of childrenOf(payload)) if (child.id === id) return child.payload;
  return undefined;
}

/**
 * An unsigned integer element.
 *
 * @throws {@link MkvError} it has more than 8 bytes or is beyond 2^53
 */
export function readUint(payload: Buffer): number {
  if (payload.length > 8) throw new MkvError('An integer has more than 8 bytes');
  let value = 0;
  for (const byte of payload) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new MkvError('An integer is beyond 2^53');
  return value;
}

/** A string element; zero bytes at its end are padding (RFC 8794, section 7.4). */
export function readString(payload: Buffer): string {
  const end = payload.indexOf(0);
  return payload.toString('utf8', 0, end === -1 ? payload.length : end);
}
