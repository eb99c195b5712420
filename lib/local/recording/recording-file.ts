/** Writes one Matroska file that players can seek in. */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { ElementId } from '../mkv/ids.js';
import {
  element,
  elementHeader,
  floatElement,
  idBytes,
  stringElement,
  uintElement,
  wideUintElement,
} from '../mkv/writer.js';
import type { FragmentContent } from './stored-fragment.js';

interface Cue {
  readonly timestamp: number;
  readonly track: number;
  /** From the start of the Segment's payload. */
  readonly position: number;
}

/** What is known only at the end. Takes the same space at the beginning. */
interface Ending {
  readonly segmentSize: number;
  readonly durationTicks: number;
  readonly cuesPosition: number;
}

const nsPerMs = 1_000_000;
const appName = 'kvs-bridge';
const ebmlHeader = element(
  ElementId.ebml,
  stringElement(ElementId.docType, 'matroska'),
  uintElement(ElementId.docTypeVersion, 4),
  uintElement(ElementId.docTypeReadVersion, 2),
);
const segmentHeaderBytes = elementHeader(ElementId.segment, 0).length;

export class RecordingFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #tracksElement: Buffer;
  readonly #timestampScaleNs: number;
  /** Time of the first frame, epoch ms. */
  readonly #originMs: number;
  readonly #cues: Cue[] = [];
  #position = 0;
  #endMs = 0;

  private constructor(
    path: string,
    file: FileHandle,
    first: FragmentContent,
    producerTimestampMs: number,
  ) {
    this.path = path;
    this.#file = file;
    this.#tracksElement = first.tracksElement;
    this.#timestampScaleNs = first.timestampScaleNs;
    const leadTicks = Math.min(0, first.firstRelativeTimestamp);
    this.#originMs = producerTimestampMs + (leadTicks * first.timestampScaleNs) / nsPerMs;
  }

  /** Begins a file whose clock starts with the first fragment. Overwrites. */
  static async create(
    path: string,
    first: FragmentContent,
    producerTimestampMs: number,
  ): Promise<RecordingFile> {
    const handle = await open(path, 'w');
    const file = new RecordingFile(path, handle, first, producerTimestampMs);
    await file.#append(file.#head({ segmentSize: 0, durationTicks: 0, cuesPosition: 0 }));
    return file;
  }

  /** Length so far, in ms. */
  get durationMs(): number {
    return this.#endMs;
  }

  async add(
    content: FragmentContent,
    { producerTimestampMs, durationMs }: { producerTimestampMs: number; durationMs: number },
  ): Promise<void> {
    const startMs = producerTimestampMs - this.#originMs;
    const timestamp = Math.round((startMs * nsPerMs) / this.#timestampScaleNs);
    if (content.entryTrack !== undefined) {
      const position = this.#position - ebmlHeader.length - segmentHeaderBytes;
      this.#cues.push({ timestamp, track: content.entryTrack, position });
    }
    const cluster = [uintElement(ElementId.timestamp, timestamp), ...content.blocks];
    await this.#append(element(ElementId.cluster, ...cluster));
    this.#endMs = Math.max(this.#endMs, startMs + durationMs);
  }

  /** Writes the index and what the head could not know. */
  async finish(): Promise<void> {
    const payloadStart = ebmlHeader.length + segmentHeaderBytes;
    const cuesPosition = this.#position - payloadStart;
    await this.#append(element(ElementId.cues, ...this.#cues.map(cuePoint)));
    const head = this.#head({
      segmentSize: this.#position - payloadStart,
      durationTicks: (this.#endMs * nsPerMs) / this.#timestampScaleNs,
      cuesPosition,
    });
    await this.#write(head, 0);
    await this.close();
  }

  /** Gives up the file as it is. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Always of the same length. */
  #head({ segmentSize, durationTicks, cuesPosition }: Ending): Buffer {
    const info = element(
      ElementId.info,
      uintElement(ElementId.timestampScale, this.#timestampScaleNs),
      floatElement(ElementId.duration, durationTicks),
      stringElement(ElementId.muxingApp, appName),
      stringElement(ElementId.writingApp, appName),
    );
    const seekHeadBytes = seekHead(0, 0, 0).length;
    const tracksPosition = seekHeadBytes + info.length;
    return Buffer.concat([
      ebmlHeader,
      elementHeader(ElementId.segment, segmentSize),
      seekHead(seekHeadBytes, tracksPosition, cuesPosition),
      info,
      this.#tracksElement,
    ]);
  }

  async #append(bytes: Buffer): Promise<void> {
    await this.#write(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** A full disk shows as a short write first. */
  async #write(bytes: Buffer, position: number): Promise<void> {
    let offset = 0;
    while (offset < bytes.length) {
      const left = bytes.length - offset;
      const { bytesWritten } = await this.#file.write(bytes, offset, left, position + offset);
      offset += bytesWritten;
    }
  }
}

function seekHead(info: number, tracks: number, cues: number): Buffer {
  const seek = (id: number, position: number): Buffer =>
    element(
      ElementId.seek,
      element(ElementId.seekId, idBytes(id)),
      wideUintElement(ElementId.seekPosition, position),
    );
  return element(
    ElementId.seekHead,
    seek(ElementId.info, info),
    seek(ElementId.tracks, tracks),
    seek(ElementId.cues, cues),
  );
}

function cuePoint({ timestamp, track, position }: Cue): Buffer {
  return element(
    ElementId.cuePoint,
    uintElement(ElementId.cueTime, timestamp),
    element(
      ElementId.cueTrackPositions,
      uintElement(ElementId.cueTrack, track),
      uintElement(ElementId.cueClusterPosition, position),
    ),
  );
}
