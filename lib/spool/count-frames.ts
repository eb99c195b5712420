/** Counts the frames of a fragment that nobody counted, from its Matroska (RFC 8794, RFC 9559). */
import type { FragmentTotals } from '../putmedia/media-sink.js';

/** What a fragment holds, and whether KVS would take it. */
export interface FrameCount extends FragmentTotals {
  /** KVS refuses a fragment that lacks a frame of a declared track (error 4011). */
  readonly isStorable: boolean;
}

const ElementId = {
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  simpleBlock: 0xa3,
} as const;

/** Elements whose children are read; everything else is read or skipped whole. */
const masters: ReadonlySet<number> = new Set([
  ElementId.segment,
  ElementId.tracks,
  ElementId.trackEntry,
  ElementId.cluster,
]);

const videoTrackType = 1;

interface TrackCount {
  readonly isVideo: boolean;
  frames: number;
  firstMs: number;
  lastMs: number;
}

/**
 * @param header - what the epoch declares
 * @param media - the fragment's bytes, cut at elements
 * @returns undefined when this is no Matroska, or declares no track
 */
export function countFrames(
  header: Uint8Array,
  media: readonly Uint8Array[],
): FrameCount | undefined {
  const tracks = readTracks(header);
  if (tracks === undefined || tracks.size === 0) return undefined;
  for (const chunk of media) {
    for (const element of walk(chunk)) {
      if (element === undefined) return undefined;
      if (element.id !== ElementId.simpleBlock) continue;
      // Track number (one byte below 127 tracks), then the time relative to the cluster.
      const [marked = 0, high = 0, low = 0] = element.payload;
      const track = tracks.get(marked & 0x7f);
      if (track === undefined || element.payload.length < 4) return undefined;
      const timeMs = ((high << 24) >> 16) | low;
      if (track.frames === 0) track.firstMs = timeMs;
      track.frames += 1;
      track.firstMs = Math.min(track.firstMs, timeMs);
      track.lastMs = Math.max(track.lastMs, timeMs);
    }
  }
  return sumUp([...tracks.values()]);
}

function sumUp(tracks: readonly TrackCount[]): FrameCount {
  const framesOf = (isVideo: boolean): number =>
    tracks
      .filter((track) => track.isVideo === isVideo)
      .reduce((sum, { frames }) => sum + frames, 0);
  return {
    durationMs: Math.max(0, ...tracks.map(durationOf)),
    videoFrames: framesOf(true),
    audioFrames: framesOf(false),
    isStorable: tracks.every(({ frames }) => frames > 0),
  };
}

/** Up to the end of the last frame, which is taken to last as long as the others. */
function durationOf({ frames, firstMs, lastMs }: TrackCount): number {
  if (frames < 2) return lastMs;
  return Math.round(lastMs + (lastMs - firstMs) / (frames - 1));
}

function readTracks(header: Uint8Array): Map<number, TrackCount> | undefined {
  const tracks = new Map<number, TrackCount>();
  let number: number | undefined;
  for (const element of walk(header)) {
    if (element === undefined) return undefined;
    if (element.id === ElementId.trackNumber) number = readNumber(element.payload);
    if (element.id === ElementId.trackType && number !== undefined) {
      const isVideo = readNumber(element.payload) === videoTrackType;
      tracks.set(number, { isVideo, frames: 0, firstMs: 0, lastMs: 0 });
      number = undefined;
    }
  }
  return tracks;
}

interface Element {
  readonly id: number;
  readonly payload: Uint8Array;
}

/** All elements but the masters, in order; undefined, as the last, where it is no EBML. */
function* walk(bytes: Uint8Array): Generator<Element | undefined, void> {
  let offset = 0;
  while (offset < bytes.length) {
    const idBytes = Math.clz32(bytes[offset] ?? 0) - 23;
    const sizeBytes = Math.clz32(bytes[offset + idBytes] ?? 0) - 23;
    const begin = offset + idBytes + sizeBytes;
    if (idBytes > 4 || sizeBytes > 8 || begin > bytes.length) {
      yield undefined;
      return;
    }
    const id = readNumber(bytes.subarray(offset, offset + idBytes));
    offset = begin;
    if (masters.has(id)) continue;
    const size = readNumber(bytes.subarray(begin - sizeBytes, begin), 0xff >> sizeBytes);
    if (size > bytes.length - begin) {
      yield undefined;
      return;
    }
    yield { id, payload: bytes.subarray(begin, begin + size) };
    offset = begin + size;
  }
}

/** @param firstMask - which bits of the first byte count */
function readNumber([first = 0, ...rest]: Uint8Array, firstMask = 0xff): number {
  return rest.reduce((value, byte) => value * 256 + byte, first & firstMask);
}
