/** Matroska by hand, as the producer SDK writes it; shares nothing with the code under test. */

/** A track to declare. */
export interface TestTrack {
  readonly number: number;
  readonly type: 'audio' | 'video';
  readonly codecPrivate?: Buffer;
}

/** A frame of a cluster. */
export interface TestFrame {
  readonly track: number;
  /** Relative to the cluster. */
  readonly at: number;
  readonly isKeyframe?: boolean;
  readonly data?: Buffer;
}

export const videoTrack: TestTrack = {
  number: 1,
  type: 'video',
  codecPrivate: Buffer.from('01640028ffe1', 'hex'),
};
export const audioTrack: TestTrack = {
  number: 2,
  type: 'audio',
  codecPrivate: Buffer.from('1190', 'hex'),
};

const unknownSize = Buffer.from([0xff]);

/** An element with an 8-byte size, as the producer SDK writes them. */
export function ebml(id: string, ...payload: readonly Buffer[]): Buffer {
  const body = Buffer.concat(payload);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(body.length));
  size[0] = 0x01;
  return Buffer.concat([Buffer.from(id, 'hex'), size, body]);
}

export function uint(id: string, value: bigint | number): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(BigInt(value));
  return ebml(id, body);
}

export function text(id: string, value: string): Buffer {
  return ebml(id, Buffer.from(value));
}

/** EBML header, Segment of unknown size, Info and Tracks. */
export function mkvHeader(
  tracks: readonly TestTrack[] = [videoTrack],
  timestampScaleNs = 1_000_000,
): Buffer {
  return Buffer.concat([
    ebml('1a45dfa3', text('4282', 'matroska'), uint('4287', 2), uint('4285', 2)),
    Buffer.from('18538067', 'hex'),
    unknownSize,
    ebml('1549a966', uint('2ad7b1', timestampScaleNs), text('4d80', 'test')),
    ebml('1654ae6b', ...tracks.map(trackEntry)),
  ]);
}

function trackEntry({ number, type, codecPrivate }: TestTrack): Buffer {
  return ebml(
    'ae',
    uint('d7', number),
    uint('73c5', number),
    uint('83', type === 'video' ? 1 : 2),
    text('86', type === 'video' ? 'V_MPEG4/ISO/AVC' : 'A_AAC'),
    ...(codecPrivate === undefined ? [] : [ebml('63a2', codecPrivate)]),
  );
}

/** A Cluster of unknown size. */
export function cluster(timecode: number, frames: readonly TestFrame[]): Buffer {
  return Buffer.concat([
    Buffer.from('1f43b675', 'hex'),
    unknownSize,
    uint('e7', timecode),
    uint('a7', 0),
    ...frames.map(simpleBlock),
  ]);
}

export function simpleBlock({ track, at, isKeyframe = false, data }: TestFrame): Buffer {
  const head = Buffer.alloc(4);
  head[0] = 0x80 | track;
  head.writeInt16BE(at, 1);
  head[3] = isKeyframe ? 0x80 : 0;
  return ebml('a3', head, data ?? Buffer.from(`frame ${track} ${at}`));
}

/** A second of video, 10 frames. */
export function second(timecode: number, track = 1): Buffer {
  return cluster(
    timecode,
    Array.from({ length: 10 }, (_, index) => ({
      track,
      at: index * 100,
      isKeyframe: index === 0,
    })),
  );
}

/** A Tags element. */
export function tags(entries: Readonly<Record<string, string>>): Buffer {
  const simpleTags = Object.entries(entries).map(([name, value]) =>
    ebml('67c8', text('45a3', name), text('4487', value)),
  );
  return ebml('1254c367', ebml('7373', ...simpleTags));
}

/** As the producer SDK ends its last fragment. */
export const endOfFragment = tags({ AWS_KINESISVIDEO_END_OF_FRAGMENT: '' });

/** A generator of the same numbers in [0, 1) for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
