/** Decodes a whole file with every check of ffmpeg's on, and tells each frame's time. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxBuffer = 512 * 1024 * 1024;

/** What came out of a decoder. */
export interface DecodedFile {
  /** What ffmpeg said; empty when nothing was wrong. */
  readonly errors: string;
  /** Presentation times of the decoded pictures as the file has them, in ms, in order. */
  readonly videoMs: readonly number[];
  /** Times of the decoded blocks of sound, in ms, in order. */
  readonly audioMs: readonly number[];
}

/** A line of ffmpeg's framecrc output: stream, dts, pts, duration, size, checksum. */
const framePattern = /^(\d+),\s*-?\d+,\s*(-?\d+),/;
const streamPattern = /^#media_type (\d+): (\w+)/;
const timeBasePattern = /^#tb (\d+): (\d+)\/(\d+)/;

/** `-err_detect explode`: the first frame that is not perfect ends the decoding with an error. */
export async function decodeFile(file: string): Promise<DecodedFile> {
  const args = ['-v', 'error', '-err_detect', 'explode', '-copyts', '-i', file, '-map', '0'];
  // Each frame with its own time stamp: no constant rate is made up.
  const output = ['-vsync', 'passthrough', '-enc_time_base', '-1', '-f', 'framecrc', '-'];
  const { stdout, stderr } = await run('ffmpeg', [...args, ...output], { maxBuffer }).catch(
    (error: unknown) => {
      if (!(error instanceof Error) || !('stderr' in error)) throw error;
      const { stdout = '', stderr } = error as { stdout?: string; stderr: string };
      return { stdout, stderr: stderr === '' ? error.message : stderr };
    },
  );
  const kinds = new Map<string, string>();
  const msPerTick = new Map<string, number>();
  const times: Record<string, number[]> = { video: [], audio: [] };
  for (const line of stdout.split('\n')) {
    const [, index = '', pts] = framePattern.exec(line) ?? [];
    if (pts !== undefined) {
      times[kinds.get(index) ?? '']?.push(Number(pts) * (msPerTick.get(index) ?? 1));
      continue;
    }
    const [, stream, kind] = streamPattern.exec(line) ?? [];
    if (stream !== undefined && kind !== undefined) kinds.set(stream, kind);
    const [, timed, numerator, denominator] = timeBasePattern.exec(line) ?? [];
    if (timed !== undefined) {
      msPerTick.set(timed, (Number(numerator) * 1000) / Number(denominator));
    }
  }
  return {
    errors: stderr.trim(),
    videoMs: (times['video'] ?? []).sort((a, b) => a - b),
    audioMs: (times['audio'] ?? []).sort((a, b) => a - b),
  };
}
