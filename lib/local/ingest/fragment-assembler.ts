/** Turns the bytes of one PutMedia upload into fragments, and holds it to the documented rules. */
import { childOf, readString, readUint } from '../mkv/element-tree.js';
import { ElementId } from '../mkv/ids.js';
import { ElementTooLargeError, MkvError } from '../mkv/mkv-error.js';
import { MkvStreamReader } from '../mkv/stream-reader.js';
import type { MkvToken } from '../mkv/stream-reader.js';
import { readTags } from '../mkv/tags.js';
import type { SimpleTag } from '../mkv/tags.js';
import { readTracks } from '../mkv/tracks.js';
import type { Track } from '../mkv/tracks.js';
import { unknownSizeHeader } from '../mkv/writer.js';
import type { IngestLimits } from '../options.js';
import { FragmentBuilder } from './fragment-builder.js';
import type { ReceivedFragment } from './fragment-builder.js';
import { IngestError } from './ingest-error.js';

/** What the upload has come to. */
export type IngestEvent =
  /** A fragment begins. */
  | { readonly kind: 'begin'; readonly timecode: number }
  /** The fragment that began last is complete. */
  | { readonly kind: 'complete'; readonly fragment: ReceivedFragment };

/** Options of {@link FragmentAssembler}. */
export interface FragmentAssemblerOptions {
  readonly limits: IngestLimits;
  /** What timestamps count from, in epoch ms; 0 when they are absolute. */
  readonly startTimestampMs: number;
}

/** Tag by which the producer SDK ends a fragment without beginning another (PIC, Stream.h). */
const endOfFragmentTag = 'AWS_KINESISVIDEO_END_OF_FRAGMENT';
/** Names beginning with AWS that producers may send (AWS dev guide, images and notifications). */
const allowedAwsTags = new Set([
  endOfFragmentTag,
  'AWS_KINESISVIDEO_IMAGE_GENERATION',
  'AWS_KINESISVIDEO_IMAGE_PREFIX',
  'AWS_KINESISVIDEO_NOTIFICATION',
]);
const defaultTimestampScaleNs = 1_000_000;

/**
 * A fragment is complete at the next Cluster, at any other child of the Segment, at a new EBML
 * header, and at the orderly end of the upload. What an upload was cut off in is not complete.
 */
export class FragmentAssembler {
  readonly #limits: IngestLimits;
  readonly #startTimestampMs: number;
  readonly #reader: MkvStreamReader;
  /** Everything before the first cluster but tags: repeated at the head of every fragment. */
  readonly #header: Buffer[] = [];
  #hasSegment = false;
  #tracks: readonly Track[] | undefined;
  #timestampScaleNs = defaultTimestampScaleNs;
  /** Elements and contents of the tags that came since the last cluster: the next one's. */
  #tags: { readonly elements: Buffer[]; readonly entries: SimpleTag[] } = noTags();
  #fragment: FragmentBuilder | undefined;
  #hasClusters = false;
  #previous: { readonly timecode: number; readonly lastFrameTimecode: number } | undefined;

  constructor({ limits, startTimestampMs }: FragmentAssemblerOptions) {
    this.#limits = limits;
    this.#startTimestampMs = startTimestampMs;
    this.#reader = new MkvStreamReader({
      maxBlockBytes: limits.maxFragmentBytes,
      maxMetadataBytes: limits.maxMetadataElementBytes,
    });
  }

  /** @throws {@link IngestError} the upload breaks a rule */
  *push(chunk: Buffer): Generator<IngestEvent, void> {
    yield* this.#guarded(this.#reader.push(chunk));
  }

  /** The upload ended in good order. @throws {@link IngestError} it breaks a rule */
  *end(): Generator<IngestEvent, void> {
    yield* this.#guarded(this.#reader.end());
  }

  *#guarded(tokens: Generator<MkvToken, void>): Generator<IngestEvent, void> {
    try {
      for (const token of tokens) yield* this.#take(token);
    } catch (error) {
      if (error instanceof ElementTooLargeError && error.isMedia) {
        throw new IngestError(4001, error.message, error);
      }
      if (error instanceof MkvError) throw new IngestError(4006, error.message, error);
      throw error;
    }
  }

  *#take(token: MkvToken): Generator<IngestEvent, void> {
    if (token.kind === 'close') {
      if (token.id === ElementId.cluster) yield this.#complete();
      return;
    }
    if (token.kind === 'open') {
      if (token.id === ElementId.segment) this.#openSegment();
      else this.#openCluster();
      return;
    }
    if (this.#fragment !== undefined) yield* this.#takeInCluster(this.#fragment, token);
    else this.#takeOutside(token);
  }

  *#takeInCluster(
    fragment: FragmentBuilder,
    { id, bytes, payload }: MkvToken & { kind: 'element' },
  ): Generator<IngestEvent, void> {
    if (id === ElementId.timestamp) {
      const timecode = readUint(payload);
      this.#checkOrder(timecode);
      fragment.setTimecode(timecode, bytes);
      yield { kind: 'begin', timecode };
    } else if (id === ElementId.simpleBlock || id === ElementId.blockGroup) {
      fragment.addBlock(id, bytes, payload);
    } else {
      fragment.addChild(bytes);
    }
  }

  #takeOutside({ id, bytes, payload }: MkvToken & { kind: 'element' }): void {
    if (!this.#hasSegment) {
      this.#takeBeforeSegment(id, bytes, payload);
      return;
    }
    switch (id) {
      case ElementId.ebml:
        throw new IngestError(4006, 'An upload holds one segment; a second EBML header came');
      case ElementId.chapters:
      case ElementId.attachments:
        throw new IngestError(4006, 'Chapters and attachments are not allowed');
      case ElementId.tags:
        this.#takeTags(bytes, payload);
        return;
      case ElementId.tracks:
        this.#takeTracks(payload);
        break;
      case ElementId.info: {
        const scale = childOf(payload, ElementId.timestampScale);
        if (scale !== undefined) this.#timestampScaleNs = readUint(scale);
        if (this.#timestampScaleNs === 0) throw new IngestError(4006, 'The timestamp scale is 0');
        break;
      }
      default:
    }
    if (!this.#hasClusters) this.#addToHeader(bytes);
  }

  #takeBeforeSegment(id: number, bytes: Buffer, payload: Buffer): void {
    if (id !== ElementId.ebml) {
      if (id === ElementId.void && this.#header.length > 0) return;
      throw new IngestError(4006, 'The data does not begin with an EBML header');
    }
    if (this.#header.length > 0) throw new IngestError(4006, 'There are two EBML headers');
    const docType = readString(childOf(payload, ElementId.docType) ?? Buffer.alloc(0));
    if (docType !== 'matroska' && docType !== 'webm') {
      throw new IngestError(4006, `The document type is "${docType}", not "matroska"`);
    }
    this.#header.push(bytes);
  }

  #openSegment(): void {
    if (this.#header.length === 0) {
      throw new IngestError(4006, 'The data does not begin with an EBML header');
    }
    if (this.#hasSegment) throw new IngestError(4006, 'An upload holds one segment');
    this.#hasSegment = true;
    this.#header.push(unknownSizeHeader(ElementId.segment));
  }

  #openCluster(): void {
    const tracks = this.#tracks;
    if (tracks === undefined) throw new IngestError(4006, 'A cluster comes before the tracks');
    this.#hasClusters = true;
    this.#fragment = new FragmentBuilder({
      header: this.#header,
      tags: this.#tags.elements,
      metadata: this.#tags.entries,
      tracks,
      timestampScaleNs: this.#timestampScaleNs,
      limits: this.#limits,
    });
    this.#tags = noTags();
  }

  #complete(): IngestEvent {
    const builder = this.#fragment;
    if (builder === undefined) throw new IngestError(4006, 'A cluster ends that did not begin');
    this.#fragment = undefined;
    const fragment = builder.finish(this.#startTimestampMs);
    this.#previous = {
      timecode: fragment.timecode,
      lastFrameTimecode: builder.lastFrameTimecode,
    };
    return { kind: 'complete', fragment };
  }

  /**
   * Fragments must not go back in time (AWS dev guide, PutMedia). A cluster may begin in the very
   * tick of the last frame before it: an audio frame often shares its millisecond with the
   * keyframe that follows.
   */
  #checkOrder(timecode: number): void {
    const previous = this.#previous;
    if (previous === undefined) return;
    if (timecode <= previous.timecode || timecode < previous.lastFrameTimecode) {
      throw new IngestError(
        4004,
        `Fragment ${timecode} does not come after ${previous.lastFrameTimecode}`,
      );
    }
  }

  #takeTracks(payload: Buffer): void {
    if (this.#tracks !== undefined) throw new IngestError(4006, 'There are two Tracks elements');
    const tracks = readTracks(payload);
    if (tracks.length === 0) throw new IngestError(4006, 'No track is declared');
    if (tracks.length > this.#limits.maxTracks) {
      throw new IngestError(4012, `${tracks.length} tracks; at most ${this.#limits.maxTracks}`);
    }
    this.#tracks = tracks;
  }

  #takeTags(bytes: Buffer, payload: Buffer): void {
    const tags = readTags(payload).filter(({ name }) => name !== endOfFragmentTag);
    for (const { name, value } of tags) {
      const isReserved = /^aws/i.test(name) && !allowedAwsTags.has(name);
      if (isReserved || name.length > 128 || value.length > 256) {
        throw new IngestError(4009, 'The name or the value of a tag is not allowed');
      }
    }
    this.#tags.entries.push(...tags);
    if (this.#tags.entries.length > this.#limits.maxTagsPerFragment) {
      throw new IngestError(4009, `More than ${this.#limits.maxTagsPerFragment} tags`);
    }
    if (tags.length > 0) this.#tags.elements.push(bytes);
  }

  #addToHeader(bytes: Buffer): void {
    this.#header.push(bytes);
    const size = this.#header.reduce((sum, part) => sum + part.length, 0);
    if (size > this.#limits.maxMetadataElementBytes) {
      throw new IngestError(4006, 'The header before the first cluster is too large');
    }
  }
}

function noTags(): { readonly elements: Buffer[]; readonly entries: SimpleTag[] } {
  return { elements: [], entries: [] };
}
