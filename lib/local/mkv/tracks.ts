/** What a Tracks element declares. */
import { childOf, childrenOf, readString, readUint } from './element-tree.js';
import { ElementId } from './ids.js';
import { MkvError } from './mkv-error.js';

/** Kinds of track (RFC 9559, TrackType). */
export const TrackType = { video: 1, audio: 2 } as const;

/** One declared track. */
export interface Track {
  readonly number: number;
  /** See {@link TrackType}; other numbers are other kinds. */
  readonly type: number;
  readonly codecId: string;
  readonly codecPrivate: Buffer | undefined;
  /** Nanoseconds a frame lasts, when declared. */
  readonly defaultDurationNs: number | undefined;
}

/**
 * Reads the payload of a Tracks element.
 *
 * @throws {@link MkvError} a track has no number, type or codec, or shares its number
 */
export function readTracks(payload: Buffer): Track[] {
  const tracks: Track[] = [];
  for (const { id, payload: entry } of childrenOf(payload)) {
    if (id !== ElementId.trackEntry) continue;
    const track = readTrack(entry);
    if (tracks.some(({ number }) => number === track.number)) {
      throw new MkvError(`Track number ${track.number} is declared twice`);
    }
    tracks.push(track);
  }
  return tracks;
}

function readTrack(entry: Buffer): Track {
  const required = (id: number, what: string): Buffer => {
    const payload = childOf(entry, id);
    if (payload === undefined) throw new MkvError(`A track declares no ${what}`);
    return payload;
  };
  const defaultDuration = childOf(entry, ElementId.defaultDuration);
  return {
    number: readUint(required(ElementId.trackNumber, 'number')),
    type: readUint(required(ElementId.trackType, 'type')),
    codecId: readString(required(ElementId.codecId, 'codec')),
    codecPrivate: childOf(entry, ElementId.codecPrivate),
    defaultDurationNs: defaultDuration === undefined ? undefined : readUint(defaultDuration),
  };
}
