/** The head of a SimpleBlock or Block (RFC 9559, section 10). */
import { childrenOf } from './element-tree.js';
import { ElementId } from './ids.js';
import { MkvError } from './mkv-error.js';
import { readVint, sizeLength } from './vint.js';

/** One frame, without its data. */
export interface BlockHead {
  readonly trackNumber: number;
  /** Ticks of the timestamp scale, relative to the cluster; may be negative. */
  readonly relativeTimestamp: number;
  readonly isKeyframe: boolean;
}

/**
 * Reads the head of a SimpleBlock or of the Block in a BlockGroup.
 *
 * @throws {@link MkvError} it is cut off
 */
export function readBlockHead(id: number, payload: Buffer): BlockHead {
  if (id === ElementId.simpleBlock) {
    const { flags, ...head } = readHead(payload);
    return { ...head, isKeyframe: (flags & 0x80) !== 0 };
  }
  let block: Buffer | undefined;
  let isKeyframe = true;
  for (const child of childrenOf(payload)) {
    if (child.id === ElementId.block) block = child.payload;
    if (child.id === ElementId.referenceBlock) isKeyframe = false;
  }
  if (block === undefined) throw new MkvError('A BlockGroup has no Block');
  const { trackNumber, relativeTimestamp } = readHead(block);
  return { trackNumber, relativeTimestamp, isKeyframe };
}

function readHead(payload: Buffer): {
  trackNumber: number;
  relativeTimestamp: number;
  flags: number;
} {
  const numberBytes = sizeLength(payload[0] ?? 0);
  if (payload.length < numberBytes + 3) throw new MkvError('A block is cut off');
  const trackNumber = readVint(payload, 0, numberBytes);
  if (trackNumber === undefined) throw new MkvError('A block has no track number');
  return {
    trackNumber,
    relativeTimestamp: payload.readInt16BE(numberBytes),
    flags: payload[numberBytes + 2] ?? 0,
  };
}
