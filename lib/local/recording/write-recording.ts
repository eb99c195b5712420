/** Makes playable files of what a stream has stored. */
import { mkdir } from 'node:fs/promises';
import { dirname, format, parse } from 'node:path';
import { ErrorCode, LocalKvsError } from '../../util/errors.js';
import type { Fragment, StreamReader } from '../store/fragment.js';
import { RecordingFile } from './recording-file.js';
import { configurationKey, readFragment } from './stored-fragment.js';

/** Where streams are read from; a `LocalKvs`. */
export interface StreamSource {
  openStream(streamName: string): Promise<StreamReader>;
}

/** Options of {@link writeRecording}. */
export interface RecordingOptions {
  readonly kvs: StreamSource;
  /** Name of the stream. */
  readonly stream: string;
  /** File to write, such as `recording.mkv`; its folder is made, a file there is overwritten. */
  readonly path: string;
  /** Fragments that begin within, by the producer's clock. @defaultValue all of them */
  readonly range?: {
    /** Epoch ms. */
    readonly startMs?: number;
    /** Epoch ms, included. */
    readonly endMs?: number;
  };
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface Recording {
  /** The file asked for, and one more (`recording-2.mkv`, …) after each change of codec. */
  readonly paths: readonly string[];
  readonly fragments: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
  /** Of all files together, gaps included. */
  readonly durationMs: number;
}

/**
 * Writes the stored fragments in order of the producer's clock. A new codec configuration, such as
 * another resolution, begins a new file, for Matroska has one configuration to a file. A fragment
 * that was sent twice, as producers do after a broken connection, is written once.
 *
 * @throws {@link LocalKvsError} `KVSB_STREAM_NOT_FOUND`; `KVSB_NOT_PERSISTED`, nothing is stored
 */
export async function writeRecording(options: RecordingOptions): Promise<Recording> {
  const { kvs, stream, path, range = {}, signal } = options;
  const reader = await kvs.openStream(stream);
  const fragments = inOrder(reader.fragments, range.startMs, range.endMs);
  if (fragments.length === 0) {
    throw new LocalKvsError(ErrorCode.notPersisted, `Stream ${stream} has no stored fragments`, {
      fix: 'Check the stream, its retention and the range.',
    });
  }
  await mkdir(dirname(path), { recursive: true });
  const files: RecordingFile[] = [];
  const totals = { fragments: 0, videoFrames: 0, audioFrames: 0 };
  let file: RecordingFile | undefined;
  let key = '';
  try {
    for (const fragment of fragments) {
      signal?.throwIfAborted();
      const content = readFragment(await reader.read(fragment.number));
      if (file === undefined || configurationKey(content) !== key) {
        await file?.finish();
        file = undefined;
        key = configurationKey(content);
        const next = numbered(path, files.length + 1);
        file = await RecordingFile.create(next, content, fragment.producerTimestampMs);
        files.push(file);
      }
      await file.add(content, fragment);
      totals.fragments += 1;
      totals.videoFrames += content.videoFrames;
      totals.audioFrames += content.audioFrames;
    }
    await file?.finish();
  } catch (error) {
    await file?.close().catch(() => undefined);
    throw error;
  }
  const durationMs = files.reduce((sum, written) => sum + written.durationMs, 0);
  return { paths: files.map((written) => written.path), ...totals, durationMs };
}

/** By the producer's clock; of fragments that begin at the same time, the longest. */
function inOrder(
  fragments: readonly Fragment[],
  startMs = -Infinity,
  endMs = Infinity,
): Fragment[] {
  const byStart = new Map<number, Fragment>();
  for (const fragment of fragments) {
    const { producerTimestampMs, durationMs } = fragment;
    if (producerTimestampMs < startMs || producerTimestampMs > endMs) continue;
    const same = byStart.get(producerTimestampMs);
    if (same === undefined || same.durationMs < durationMs) {
      byStart.set(producerTimestampMs, fragment);
    }
  }
  return [...byStart.values()].sort((a, b) => a.producerTimestampMs - b.producerTimestampMs);
}

/** `a.mkv`, `a-2.mkv`, … */
function numbered(path: string, count: number): string {
  if (count === 1) return path;
  const { root, dir, name, ext } = parse(path);
  return format({ root, dir, name: `${name}-${count}`, ext });
}
