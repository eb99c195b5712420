/** What the H.264 encoder itself says of the order of its frames (ITU-T H.264: frame_num). */
import { childrenOf } from '../../lib/local/mkv/element-tree.js';
import { ElementId } from '../../lib/local/mkv/ids.js';
import { sizeLength } from '../../lib/local/mkv/vint.js';
import { TrackType } from '../../lib/local/mkv/tracks.js';
import type { FragmentContent } from '../../lib/local/recording/stored-fragment.js';

/** A coded frame. */
export interface CodedFrame {
  readonly bytes: number;
  readonly isIdr: boolean;
  /** Counts up from 0 at an IDR frame. */
  readonly frameNum: number;
  /** It is 0 again after so many. */
  readonly frameNums: number;
}

const sliceTypes = { first: 1, idr: 5 } as const;
/** Of a slice header or a parameter set: all that is read lies there. */
const headBytes = 32;

/** The video frames of a fragment from our own test source: one slice or more each, no B-frames. */
export function codedFrames({ tracks, blocks }: FragmentContent): readonly CodedFrame[] {
  const video = tracks.find(({ type }) => type === TrackType.video);
  const avcConfig = video?.codecPrivate;
  if (video === undefined || avcConfig === undefined) return [];
  const lengthBytes = ((avcConfig[4] ?? 0) & 3) + 1;
  const frameNumBits = frameNumBitsOf(avcConfig.subarray(8));
  const frameNums = 2 ** frameNumBits;
  return blocks.flatMap((block) => {
    const data = frameOf(block, video.number);
    const slice = data && firstSlice(data, lengthBytes);
    if (data === undefined || slice === undefined) return [];
    const bits = new BitReader(slice.subarray(1));
    // first_mb_in_slice, slice_type, pic_parameter_set_id
    for (let skipped = 0; skipped < 3; skipped += 1) bits.unsignedGolomb();
    const isIdr = typeOf(slice) === sliceTypes.idr;
    return [{ bytes: data.length, isIdr, frameNum: bits.unsigned(frameNumBits), frameNums }];
  });
}

/**
 * The numbers of frames, as their pictures show them and the encoder counted them. A picture may show
 * the number of another frame, on a master's busy machine: where the encoder's count goes on from a
 * keyframe without a break, and the pictures come back to it, that count tells. A frame that the bridge
 * left out, doubled or put elsewhere breaks it.
 *
 * @param shown - by the pictures
 */
export function frameNumbers(
  shown: readonly number[],
  coded: readonly CodedFrame[],
): readonly number[] {
  if (coded.length !== shown.length) return shown;
  const numbers = [...shown];
  let begin = 0;
  for (let end = 1; end <= shown.length; end += 1) {
    if (end < shown.length && coded[end]?.isIdr !== true) continue;
    const first = shown[begin] ?? 0;
    const isBack = shown[end - 1] === first + end - 1 - begin;
    if (isBack && isUnbroken(coded.slice(begin, end))) {
      for (let index = begin; index < end; index += 1) numbers[index] = first + index - begin;
    }
    begin = end;
  }
  return numbers;
}

function isUnbroken(frames: readonly CodedFrame[]): boolean {
  return frames.every(({ isIdr, frameNum, frameNums }, index) => {
    if (index === 0) return isIdr && frameNum === 0;
    return frameNum === ((frames[index - 1]?.frameNum ?? 0) + 1) % frameNums;
  });
}

function frameOf(block: Buffer, track: number): Buffer | undefined {
  const [element] = childrenOf(block);
  if (element?.id !== ElementId.simpleBlock) return undefined;
  const { payload } = element;
  const numberBytes = sizeLength(payload[0] ?? 0);
  const isOurs = (payload[0] ?? 0) === (0x80 | track);
  return isOurs ? payload.subarray(numberBytes + 3) : undefined;
}

function firstSlice(data: Buffer, lengthBytes: number): Buffer | undefined {
  let offset = 0;
  while (offset + lengthBytes < data.length) {
    const begin = offset + lengthBytes;
    const length = data.readUIntBE(offset, lengthBytes);
    const unit = data.subarray(begin, begin + length);
    if (typeOf(unit) === sliceTypes.first || typeOf(unit) === sliceTypes.idr) return unit;
    offset = begin + length;
  }
  return undefined;
}

function typeOf(unit: Buffer): number {
  return (unit[0] ?? 0) & 0x1f;
}

/** @param set - a sequence parameter set of the baseline profile, behind its two bytes of length */
function frameNumBitsOf(set: Buffer): number {
  // NAL unit header, profile_idc, constraint flags, level_idc
  const bits = new BitReader(set.subarray(4));
  bits.unsignedGolomb();
  return bits.unsignedGolomb() + 4;
}

class BitReader {
  readonly #bits: string;
  #next = 0;

  constructor(bytes: Buffer) {
    const text = bytes.subarray(0, headBytes).toString('latin1');
    // Emulation prevention bytes are none of the content.
    const raw = Buffer.from(text.replaceAll('\0\0\x03', '\0\0'), 'latin1');
    this.#bits = Array.from(raw, (byte) => byte.toString(2).padStart(8, '0')).join('');
  }

  unsigned(bits: number): number {
    const value = Number.parseInt(this.#bits.slice(this.#next, this.#next + bits) || '0', 2);
    this.#next += bits;
    return value;
  }

  unsignedGolomb(): number {
    const zeros = Math.max(0, this.#bits.indexOf('1', this.#next) - this.#next);
    this.#next += zeros;
    return this.unsigned(zeros + 1) - 1;
  }
}
