/** What a stream holds, frame by frame, by the numbers in the pictures. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalKvs } from '../../lib/local/index.js';
import type { StreamReader } from '../../lib/local/index.js';
import { readFragment } from '../../lib/local/recording/stored-fragment.js';
import { readTestFrames } from '../support/decode.js';
import { codedFrames, frameNumbers } from './encoder-order.js';

/** A stored frame. */
export interface StoredFrame {
  readonly number: number;
  /** By the producer's clock, Unix epoch ms. */
  readonly atMs: number;
  /** What its picture shows, where that is another number. */
  readonly shown?: number;
  /** Coded, in bytes, of such a frame. */
  readonly bytes?: number;
}

export interface Archive {
  /** In order of their numbers; one that is stored twice is there twice. */
  readonly frames: readonly StoredFrame[];
  /** In no order. */
  readonly fragments: readonly StoredFragment[];
}

export interface StoredFragment {
  /** By the producer's clock, Unix epoch ms. */
  readonly timecodeMs: number;
  readonly videoFrames: number;
}

/** As many decoders at once as this machine is likely to have cores to spare. */
const decoders = 2;

/** @param dataDir - of a local KVS that does not run */
export async function readArchive(dataDir: string, stream: string): Promise<Archive> {
  await using kvs = await LocalKvs.start({ dataDir });
  const reader = await kvs.openStream(stream);
  const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-archive-'));
  try {
    const waiting = [...reader.fragments];
    const frames: StoredFrame[] = [];
    const fragments: StoredFragment[] = [];
    const decodeNext = async (): Promise<void> => {
      for (;;) {
        const fragment = waiting.pop();
        if (fragment === undefined) return;
        const found = await readFrames(reader, fragment.number, folder);
        frames.push(...found);
        const timecodeMs = Math.round(fragment.producerTimestampMs);
        fragments.push({ timecodeMs, videoFrames: found.length });
      }
    };
    await Promise.all(Array.from({ length: decoders }, decodeNext));
    return {
      frames: frames.sort((a, b) => a.number - b.number || a.atMs - b.atMs),
      fragments,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readFrames(
  reader: StreamReader,
  number: string,
  folder: string,
): Promise<readonly StoredFrame[]> {
  const bytes = await reader.read(number);
  const content = readFragment(bytes);
  // Sound alone.
  if (content.videoFrames === 0) return [];
  const file = join(folder, `${number}.mkv`);
  await writeFile(file, bytes);
  const frames = await readTestFrames(file);
  await rm(file);
  const coded = codedFrames(content);
  const shown = frames.map(({ counter }) => counter);
  const numbers = frameNumbers(shown, coded);
  return frames.map(({ counter, ptsMs }, index) => ({
    number: numbers[index] ?? counter,
    atMs: ptsMs,
    ...(numbers[index] === counter ? {} : { shown: counter, bytes: coded[index]?.bytes ?? 0 }),
  }));
}
