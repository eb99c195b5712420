/** Takes a stored fragment apart, to put its frames into another file. */
import { readBlockHead } from '../mkv/blocks.js';
import type { BlockHead } from '../mkv/blocks.js';
import { childOf, readUint } from '../mkv/element-tree.js';
import { ElementId } from '../mkv/ids.js';
import { MkvError } from '../mkv/mkv-error.js';
import { MkvStreamReader } from '../mkv/stream-reader.js';
import { readTracks, TrackType } from '../mkv/tracks.js';
import type { Track } from '../mkv/tracks.js';

/** What a recording needs of a fragment. */
export interface FragmentContent {
  /** The Tracks element as the producer sent it. */
  readonly tracksElement: Buffer;
  readonly tracks: readonly Track[];
  readonly timestampScaleNs: number;
  /** SimpleBlocks and BlockGroups, whole. */
  readonly blocks: readonly Buffer[];
  /** Smallest timestamp of a block relative to the cluster; below 0 when frames are reordered. */
  readonly firstRelativeTimestamp: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
  /** The track whose first frame a player can begin with; undefined when it cannot begin here. */
  readonly entryTrack: number | undefined;
}

const defaultTimestampScaleNs = 1_000_000;

/** @throws {@link MkvError} the bytes are not a fragment */
export function readFragment(bytes: Buffer): FragmentContent {
  const limit = bytes.length;
  const reader = new MkvStreamReader({ maxBlockBytes: limit, maxMetadataBytes: limit });
  let tracksElement: Buffer | undefined;
  let tracks: readonly Track[] = [];
  let timestampScaleNs = defaultTimestampScaleNs;
  const blocks: Buffer[] = [];
  const frames = new Map<number, number>();
  let firstRelativeTimestamp = Infinity;
  const firstOfTrack = new Map<number, BlockHead>();
  for (const token of reader.push(bytes)) {
    if (token.kind !== 'element') continue;
    const { id, payload } = token;
    if (id === ElementId.tracks) {
      tracksElement = token.bytes;
      tracks = readTracks(payload);
    } else if (id === ElementId.info) {
      const scale = childOf(payload, ElementId.timestampScale);
      if (scale !== undefined) timestampScaleNs = readUint(scale);
    } else if (id === ElementId.simpleBlock || id === ElementId.blockGroup) {
      const head = readBlockHead(id, payload);
      if (!firstOfTrack.has(head.trackNumber)) firstOfTrack.set(head.trackNumber, head);
      firstRelativeTimestamp = Math.min(firstRelativeTimestamp, head.relativeTimestamp);
      frames.set(head.trackNumber, (frames.get(head.trackNumber) ?? 0) + 1);
      blocks.push(token.bytes);
    }
  }
  if (tracksElement === undefined || blocks.length === 0) {
    throw new MkvError('A fragment has no tracks or no frames');
  }
  const framesOf = (wanted: number): number =>
    tracks
      .filter(({ type }) => type === wanted)
      .reduce((sum, { number }) => sum + (frames.get(number) ?? 0), 0);
  return {
    tracksElement,
    tracks,
    timestampScaleNs,
    blocks,
    firstRelativeTimestamp,
    videoFrames: framesOf(TrackType.video),
    audioFrames: framesOf(TrackType.audio),
    entryTrack: entryTrackOf(tracks, firstOfTrack),
  };
}

/** Audio can begin anywhere, so the video decides if there is any. */
function entryTrackOf(
  tracks: readonly Track[],
  firstOfTrack: ReadonlyMap<number, BlockHead>,
): number | undefined {
  const leading = tracks.find(({ type }) => type === TrackType.video) ?? tracks[0];
  if (leading === undefined) return undefined;
  return firstOfTrack.get(leading.number)?.isKeyframe === true ? leading.number : undefined;
}

/** Fragments with the same key can share a file: same tracks, same codecs, same configuration. */
export function configurationKey({ tracks, timestampScaleNs }: FragmentContent): string {
  const parts = tracks.map(({ number, type, codecId, codecPrivate }) =>
    [number, type, codecId, codecPrivate?.toString('hex') ?? ''].join(' '),
  );
  return [timestampScaleNs, ...parts].join('\n');
}
