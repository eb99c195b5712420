/** One fragment while its cluster is being read. */
import { readBlockHead } from '../mkv/blocks.js';
import { ElementId } from '../mkv/ids.js';
import type { SimpleTag } from '../mkv/tags.js';
import type { Track } from '../mkv/tracks.js';
import { elementHeader } from '../mkv/writer.js';
import type { IngestLimits } from '../options.js';
import { IngestError } from './ingest-error.js';

/** A fragment that was received whole and obeys every rule. */
export interface ReceivedFragment {
  /** Cluster timestamp as sent, in ticks of the timestamp scale. */
  readonly timecode: number;
  readonly producerTimestampMs: number;
  readonly durationMs: number;
  /** A Matroska file of its own: the upload's header, the fragment's tags, its cluster. */
  readonly parts: readonly Buffer[];
  readonly sizeBytes: number;
  /** Where in `parts` the cluster begins. */
  readonly clusterOffset: number;
  /** What the producer's tags before the cluster say. */
  readonly metadata: readonly SimpleTag[];
}

/** What a fragment takes over from its upload. */
export interface FragmentContext {
  readonly header: readonly Buffer[];
  /** Tags elements before the cluster, and what they hold. */
  readonly tags: readonly Buffer[];
  readonly metadata: readonly SimpleTag[];
  readonly tracks: readonly Track[];
  readonly timestampScaleNs: number;
  readonly limits: IngestLimits;
}

interface TrackSpan {
  frames: number;
  first: number;
  last: number;
}

const nsPerMs = 1_000_000;

export class FragmentBuilder {
  readonly #context: FragmentContext;
  readonly #children: Buffer[] = [];
  readonly #spans = new Map<number, TrackSpan>();
  #clusterBytes = 0;
  #timecode: number | undefined;

  constructor(context: FragmentContext) {
    this.#context = context;
  }

  /** Cluster timestamp, once it was read. */
  get timecode(): number | undefined {
    return this.#timecode;
  }

  /** Timestamp of the last frame of any track, in ticks. */
  get lastFrameTimecode(): number {
    let last = this.#timecode ?? 0;
    for (const span of this.#spans.values()) last = Math.max(last, span.last);
    return last;
  }

  /** @throws {@link IngestError} 4006, a second timestamp */
  setTimecode(timecode: number, bytes: Buffer): void {
    if (this.#timecode !== undefined) {
      throw new IngestError(4006, 'A cluster has two timestamps');
    }
    this.#timecode = timecode;
    this.addChild(bytes);
  }

  /** Keeps an element of the cluster. @throws {@link IngestError} 4001 */
  addChild(bytes: Buffer): void {
    this.#clusterBytes += bytes.length;
    const { maxFragmentBytes } = this.#context.limits;
    if (this.#clusterBytes > maxFragmentBytes) {
      throw new IngestError(4001, `The fragment is larger than ${maxFragmentBytes} bytes`);
    }
    this.#children.push(bytes);
  }

  /** @throws {@link IngestError} 4001, 4002, 4006, 4010 */
  addBlock(id: number, bytes: Buffer, payload: Buffer): void {
    const clusterTimecode = this.#timecode;
    if (clusterTimecode === undefined) {
      throw new IngestError(4006, 'A block comes before the timestamp of its cluster');
    }
    const { trackNumber, relativeTimestamp } = readBlockHead(id, payload);
    if (!this.#context.tracks.some(({ number }) => number === trackNumber)) {
      throw new IngestError(4010, `Track ${trackNumber} is not declared`);
    }
    this.addChild(bytes);
    const timecode = clusterTimecode + relativeTimestamp;
    const { maxFragmentDurationMs } = this.#context.limits;
    if (this.#toMs(relativeTimestamp) > maxFragmentDurationMs) {
      throw new IngestError(4002, `The fragment is longer than ${maxFragmentDurationMs} ms`);
    }
    const span = this.#spans.get(trackNumber);
    if (span === undefined) {
      this.#spans.set(trackNumber, { frames: 1, first: timecode, last: timecode });
      return;
    }
    span.frames += 1;
    span.first = Math.min(span.first, timecode);
    span.last = Math.max(span.last, timecode);
  }

  /**
   * The fragment, now that its end is known.
   *
   * @param startTimestampMs - what the timestamps count from; 0 when they are absolute
   * @throws {@link IngestError} 4006, no timestamp; 4011, a declared track without a frame
   */
  finish(startTimestampMs: number): ReceivedFragment {
    const timecode = this.#timecode;
    if (timecode === undefined) throw new IngestError(4006, 'A cluster has no timestamp');
    for (const { number } of this.#context.tracks) {
      if (!this.#spans.has(number)) {
        throw new IngestError(4011, `The fragment has no frame of track ${number}`);
      }
    }
    const { header, tags, metadata } = this.#context;
    const lead = [...header, ...tags];
    const clusterOffset = totalLength(lead);
    const clusterHeader = elementHeader(ElementId.cluster, this.#clusterBytes);
    return {
      timecode,
      producerTimestampMs: Math.round(startTimestampMs + this.#toMs(timecode)),
      durationMs: Math.round(this.#toMs(this.#end() - timecode)),
      parts: [...lead, clusterHeader, ...this.#children],
      sizeBytes: clusterOffset + clusterHeader.length + this.#clusterBytes,
      clusterOffset,
      metadata,
    };
  }

  /** End of the last frame: its declared duration, else as long as the others on average. */
  #end(): number {
    let end = this.#timecode ?? 0;
    for (const { number, defaultDurationNs } of this.#context.tracks) {
      const span = this.#spans.get(number);
      if (span === undefined) continue;
      const average = span.frames > 1 ? (span.last - span.first) / (span.frames - 1) : 0;
      const lasts =
        defaultDurationNs === undefined
          ? average
          : defaultDurationNs / this.#context.timestampScaleNs;
      end = Math.max(end, span.last + lasts);
    }
    return end;
  }

  #toMs(ticks: number): number {
    return (ticks * this.#context.timestampScaleNs) / nsPerMs;
  }
}

function totalLength(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
