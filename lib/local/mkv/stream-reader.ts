/** Reads Matroska as it arrives: any chunking, known and unknown sizes, bounded memory. */
import { ByteQueue } from './byte-queue.js';
import { ElementId, topLevelIds } from './ids.js';
import { ElementTooLargeError, MkvError } from './mkv-error.js';
import { idLength, readVint, sizeLength } from './vint.js';

/** What {@link MkvStreamReader} makes of the bytes. */
export type MkvToken =
  | { readonly kind: 'open'; readonly id: number }
  | {
      readonly kind: 'element';
      readonly id: number;
      /** Header and payload, as they came. */
      readonly bytes: Buffer;
      readonly payload: Buffer;
    }
  | { readonly kind: 'close'; readonly id: number };

/** Bounds of what one element may make the reader hold. */
export interface MkvReaderLimits {
  /** Of a SimpleBlock or BlockGroup. */
  readonly maxBlockBytes: number;
  /** Of every other element. */
  readonly maxMetadataBytes: number;
}

interface OpenMaster {
  readonly id: number;
  /** Payload bytes not read yet; undefined when the size is unknown. */
  remaining: number | undefined;
}

interface Header {
  readonly id: number;
  readonly headerBytes: number;
  readonly size: number | undefined;
}

/** What may stand beside a Segment. */
const rootIds: ReadonlySet<number> = new Set([ElementId.ebml, ElementId.void, ElementId.crc32]);

/** An id of 4 bytes and a size of 8. */
const maxHeaderBytes = 12;

/**
 * Segment and Cluster are announced when they open and close, everything else is handed out whole.
 * A master of unknown size closes at the first element that cannot be its child (RFC 8794,
 * section 6.2).
 */
export class MkvStreamReader {
  readonly #queue = new ByteQueue();
  readonly #masters: OpenMaster[] = [];
  readonly #limits: MkvReaderLimits;
  #header: Header | undefined;

  constructor(limits: MkvReaderLimits) {
    this.#limits = limits;
  }

  /**
   * Tokens that are complete with this chunk.
   *
   * @throws {@link MkvError} the stream cannot be read further
   */
  *push(chunk: Buffer): Generator<MkvToken, void> {
    this.#queue.push(chunk);
    for (;;) {
      const header = (this.#header ??= this.#readHeader());
      if (header === undefined) return;
      yield* this.#closeUnknown(header.id);
      if (header.id === ElementId.segment || header.id === ElementId.cluster) {
        yield this.#open(header);
        yield* this.#closeFinished();
        continue;
      }
      const total = this.#checkedTotal(header);
      if (this.#queue.length < total) return;
      const bytes = this.#queue.take(total);
      this.#header = undefined;
      this.#consume(total);
      yield { kind: 'element', id: header.id, bytes, payload: bytes.subarray(header.headerBytes) };
      yield* this.#closeFinished();
    }
  }

  /**
   * Closes what is open: the upload ended in good order.
   *
   * @throws {@link MkvError} it ended inside an element
   */
  *end(): Generator<MkvToken, void> {
    if (this.#queue.length > 0) throw new MkvError('The data ends inside an element');
    if (this.#masters.some(({ remaining }) => remaining !== undefined)) {
      throw new MkvError('The data ends inside an element of known size');
    }
    while (this.#masters.length > 0) yield this.#close();
  }

  #readHeader(): Header | undefined {
    const available = this.#queue.peek(Math.min(this.#queue.length, maxHeaderBytes));
    const [first] = available;
    if (first === undefined) return undefined;
    const idBytes = idLength(first);
    const sizeStart = available[idBytes];
    if (sizeStart === undefined) return undefined;
    const headerBytes = idBytes + sizeLength(sizeStart);
    if (available.length < headerBytes) return undefined;
    return {
      id: available.readUIntBE(0, idBytes),
      headerBytes,
      size: readVint(available, idBytes, headerBytes - idBytes),
    };
  }

  *#closeUnknown(id: number): Generator<MkvToken, void> {
    const isRoot = id === ElementId.ebml || id === ElementId.segment;
    for (;;) {
      const current = this.#masters.at(-1);
      if (current === undefined) return;
      const ends = isRoot || (current.id === ElementId.cluster && topLevelIds.has(id));
      if (!ends) return;
      if (current.remaining !== undefined) {
        throw new MkvError(`Element 0x${id.toString(16)} is not allowed where it stands`);
      }
      yield this.#close();
    }
  }

  #open({ id, headerBytes, size }: Header): MkvToken {
    const parent = this.#masters.at(-1)?.id;
    if (parent !== (id === ElementId.cluster ? ElementId.segment : undefined)) {
      throw new MkvError(`Element 0x${id.toString(16)} is not allowed where it stands`);
    }
    this.#queue.take(headerBytes);
    this.#header = undefined;
    this.#consume(headerBytes + (size ?? 0), size === undefined);
    this.#masters.push({ id, remaining: size });
    return { kind: 'open', id };
  }

  #checkedTotal({ id, headerBytes, size }: Header): number {
    if (this.#masters.length === 0 && !rootIds.has(id)) {
      // Not worth waiting for: this is something else than Matroska.
      throw new MkvError(`Element 0x${id.toString(16)} is not allowed where it stands`);
    }
    if (size === undefined) {
      throw new MkvError(`Element 0x${id.toString(16)} has an unknown size`);
    }
    const isMedia = id === ElementId.simpleBlock || id === ElementId.blockGroup;
    const limit = isMedia ? this.#limits.maxBlockBytes : this.#limits.maxMetadataBytes;
    if (size > limit) {
      throw new ElementTooLargeError(
        `Element 0x${id.toString(16)} has ${size} bytes; at most ${limit} are taken`,
        isMedia,
      );
    }
    const remaining = this.#masters.at(-1)?.remaining;
    if (remaining !== undefined && headerBytes + size > remaining) {
      throw new MkvError(`Element 0x${id.toString(16)} reaches beyond its parent`);
    }
    return headerBytes + size;
  }

  /** Books bytes on the innermost master; the outer ones booked it as a whole when it opened. */
  #consume(bytes: number, isUnknownMaster = false): void {
    const parent = this.#masters.at(-1);
    if (parent?.remaining === undefined) return;
    if (isUnknownMaster) throw new MkvError('An element of unknown size is inside a known size');
    if (bytes > parent.remaining) throw new MkvError('An element reaches beyond its parent');
    parent.remaining -= bytes;
  }

  *#closeFinished(): Generator<MkvToken, void> {
    while (this.#masters.at(-1)?.remaining === 0) yield this.#close();
  }

  #close(): MkvToken {
    const master = this.#masters.pop();
    if (master === undefined) throw new MkvError('Nothing is open');
    return { kind: 'close', id: master.id };
  }
}
