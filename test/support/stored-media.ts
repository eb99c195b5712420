/** Reads back all that a stream holds, with AWS's stock clients, and decodes every bit of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fragment } from '@aws-sdk/client-kinesis-video-archived-media';
import { writeRecording } from '../../lib/index.js';
import { ElementId } from '../../lib/local/mkv/ids.js';
import { MkvStreamReader } from '../../lib/local/mkv/stream-reader.js';
import { readTags } from '../../lib/local/mkv/tags.js';
import type { SimpleTag } from '../../lib/local/mkv/tags.js';
import { readTestFrames, readTicksMs, probe, skewsMs } from './decode.js';
import type { ProbedStream, TestFrame } from './decode.js';
import { decodeFile } from './decoded-file.js';
import type { DecodedFile } from './decoded-file.js';
import type { LocalStack } from './local-stack.js';

/** A stored fragment, decoded by itself. */
export interface FragmentMedia extends DecodedFile {
  readonly number: string;
  /** Producer timestamp, Unix epoch ms. */
  readonly timecodeMs: number;
  /** To the fragment that follows on it, else as KVS lists it. */
  readonly lengthMs: number;
  /** What the producer said of it: the service's own tags are left out. */
  readonly tags: readonly SimpleTag[];
  readonly file: string;
}

/** A stretch of constant codec configuration, decoded from its first frame to its last. */
export interface EpochMedia extends DecodedFile {
  readonly file: string;
  readonly streams: readonly ProbedStream[];
}

/** All that a stream holds. */
export interface StoredMedia {
  /** In order of the producer's clock. */
  readonly fragments: readonly FragmentMedia[];
  /** Fragments that were stored although one with the same timecode was there. */
  readonly duplicates: number;
  readonly epochs: readonly EpochMedia[];
}

/** What the test picture and tone tell of a recording. */
export interface TestPattern {
  readonly frames: readonly TestFrame[];
  /** Burned-in counters between the first and the last that no frame shows. */
  readonly missing: number;
  /** Frames whose counter is not above the one before. */
  readonly repeated: number;
  /** By how much each tick comes after its flash, in ms. */
  readonly skewsMs: readonly number[];
}

/** A fragment that begins this close to another's end follows on it, in ms. */
const contiguousMs = 250;

/** Reads a stream back. It has at least one fragment. */
export async function readStoredMedia(stack: LocalStack): Promise<StoredMedia> {
  const listed = await stack.listFragments();
  const byTimecode = new Map(listed.map((fragment) => [timecodeOf(fragment), fragment]));
  const unique = [...byTimecode.values()];
  const files = await stack.readFragments(unique);
  const fragments: FragmentMedia[] = [];
  for (const [index, fragment] of unique.entries()) {
    const file = files[index] ?? '';
    fragments.push({
      number: fragment.FragmentNumber ?? '',
      timecodeMs: timecodeOf(fragment),
      lengthMs: lengthMs(fragment, unique[index + 1]),
      tags: producerTags(await readFile(file)),
      file,
      ...(await decodeFile(file)),
    });
  }
  const epochs: EpochMedia[] = [];
  const path = join(stack.folder, 'epoch.mkv');
  const { paths } = await writeRecording({ kvs: stack.kvs, stream: stack.stream, path });
  for (const file of paths) {
    epochs.push({ file, streams: await probe(file), ...(await decodeFile(file)) });
  }
  return { fragments, duplicates: listed.length - unique.length, epochs };
}

/** Reads the picture and the tone of the test master; the other masters do not send them. */
export async function readTestPattern({ epochs }: StoredMedia): Promise<TestPattern> {
  const frames: TestFrame[] = [];
  const skews: number[] = [];
  for (const { file, videoMs, audioMs } of epochs) {
    if (videoMs.length === 0) continue;
    const shown = await readTestFrames(file);
    frames.push(...shown);
    if (audioMs.length > 0) skews.push(...skewsMs(shown, await readTicksMs(file)));
  }
  let missing = 0;
  let repeated = 0;
  for (const [index, { counter }] of frames.slice(1).entries()) {
    const step = counter - (frames[index]?.counter ?? counter);
    if (step < 1) repeated += 1;
    else missing += step - 1;
  }
  return { frames, missing, repeated, skewsMs: skews };
}

/** Times of all frames of the leading track, in order: the picture's, or the sound's without one. */
export function leadingTimesMs({ fragments }: StoredMedia): readonly number[] {
  const hasVideo = fragments.some(({ videoMs }) => videoMs.length > 0);
  return fragments.flatMap(({ videoMs, audioMs }) => (hasVideo ? videoMs : audioMs));
}

/** Largest distance between consecutive frames of the leading track, in ms. */
export function largestGapMs(media: StoredMedia): number {
  const timesMs = leadingTimesMs(media);
  return Math.max(0, ...timesMs.slice(1).map((timeMs, index) => timeMs - (timesMs[index] ?? 0)));
}

/** Everything that a decoder complained of, each with its file. */
export function decodeComplaints({ fragments, epochs }: StoredMedia): readonly string[] {
  return [...fragments, ...epochs]
    .filter(({ errors }) => errors !== '')
    .map(({ file, errors }) => `${file}: ${errors}`);
}

function timecodeOf({ ProducerTimestamp }: Fragment): number {
  return ProducerTimestamp?.getTime() ?? NaN;
}

function lengthMs(fragment: Fragment, next: Fragment | undefined): number {
  const listedMs = fragment.FragmentLengthInMilliseconds ?? NaN;
  if (next === undefined) return listedMs;
  const toNextMs = timecodeOf(next) - timecodeOf(fragment);
  return toNextMs <= listedMs + contiguousMs ? toNextMs : listedMs;
}

/** The tags in a fragment that its producer put there. */
export function producerTags(bytes: Buffer): readonly SimpleTag[] {
  const reader = new MkvStreamReader({
    maxBlockBytes: bytes.length,
    maxMetadataBytes: bytes.length,
  });
  return [...reader.push(bytes)]
    .flatMap((token) =>
      token.kind === 'element' && token.id === ElementId.tags ? readTags(token.payload) : [],
    )
    .filter(({ name }) => !name.startsWith('AWS_KINESISVIDEO_'));
}
