/** Decodes what was stored, with ffmpeg, and reads the test picture and tone. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxBuffer = 512 * 1024 * 1024;

/** Where native/media/publisher/test_source.h puts the counter. */
const counterBits = 24;
const square = 16;
const sampleRate = 48_000;

/** One decoded video frame of the test picture. */
export interface TestFrame {
  /** Presentation time in ms. */
  readonly ptsMs: number;
  /** The burned-in frame counter. */
  readonly counter: number;
  /** First frame of a second of the publisher's running time. */
  readonly flash: boolean;
}

/** What ffmpeg says while it decodes a file with every check on; empty when it is clean. */
export async function decodeErrors(file: string): Promise<string> {
  const { stderr } = await run(
    'ffmpeg',
    // Variable frame rate: the null muxer would otherwise complain of equal rounded time stamps.
    [
      '-v',
      'error',
      '-err_detect',
      'explode',
      '-i',
      file,
      '-vsync',
      'passthrough',
      '-enc_time_base',
      '-1',
      '-f',
      'null',
      '-',
    ],
    { maxBuffer },
  ).catch((error: unknown) => ({ stderr: String(error) }));
  return stderr.trim();
}

/** Codec, size and frame count of each stream, by ffprobe. */
export interface ProbedStream {
  readonly codec: string;
  readonly kind: string;
  readonly width: number;
  readonly height: number;
  readonly packets: number;
}

export async function probe(file: string): Promise<readonly ProbedStream[]> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-count_packets', '-show_streams', '-of', 'json', file],
    { maxBuffer },
  );
  const { streams } = JSON.parse(stdout) as {
    streams: {
      codec_name: string;
      codec_type: string;
      width?: number;
      height?: number;
      nb_read_packets: string;
    }[];
  };
  return streams.map((stream) => ({
    codec: stream.codec_name,
    kind: stream.codec_type,
    width: stream.width ?? 0,
    height: stream.height ?? 0,
    packets: Number(stream.nb_read_packets),
  }));
}

async function packetTimesMs(file: string, stream: 'v' | 'a'): Promise<number[]> {
  const { stdout } = await run(
    'ffprobe',
    [
      '-v',
      'error',
      '-select_streams',
      `${stream}:0`,
      '-show_entries',
      'packet=pts_time',
      '-of',
      'csv=p=0',
      file,
    ],
    { maxBuffer },
  );
  return (
    stdout
      .trim()
      .split('\n')
      .map((line) => Number.parseFloat(line) * 1000)
      // Packets stand in the order of decoding, pictures come out in that of presentation.
      .sort((a, b) => a - b)
  );
}

/** Every video frame of a recording of the test picture, in order. */
export async function readTestFrames(file: string): Promise<readonly TestFrame[]> {
  const width = (counterBits + 1) * square;
  const [{ stdout }, timesMs] = await Promise.all([
    run(
      'ffmpeg',
      [
        '-v',
        'error',
        '-i',
        file,
        '-an',
        '-vsync',
        'passthrough',
        '-vf',
        `crop=${String(width)}:${String(square)}:0:0,format=gray`,
        '-f',
        'rawvideo',
        '-',
      ],
      { maxBuffer, encoding: 'buffer' },
    ),
    packetTimesMs(file, 'v'),
  ]);
  const frameBytes = width * square;
  const count = stdout.length / frameBytes;
  return Array.from({ length: count }, (_, index) => {
    const row = index * frameBytes + (square / 2) * width;
    const bit = (position: number): number =>
      (stdout[row + position * square + square / 2] ?? 0) > 128 ? 1 : 0;
    let counter = 0;
    for (let position = 0; position < counterBits; position += 1) {
      counter = counter * 2 + bit(position);
    }
    return { ptsMs: timesMs[index] ?? NaN, counter, flash: bit(counterBits) === 1 };
  });
}

/** Times at which the tone begins, in ms: each rise above a quarter of full scale after silence. */
export async function readTicksMs(file: string): Promise<readonly number[]> {
  const [{ stdout }, timesMs] = await Promise.all([
    run(
      'ffmpeg',
      // aresample=async fills gaps of 4 ms and more, so that a sample's position tells its time.
      [
        '-v',
        'error',
        '-i',
        file,
        '-vn',
        '-af',
        'aresample=async=1:min_hard_comp=0.004',
        '-ac',
        '1',
        '-ar',
        String(sampleRate),
        '-f',
        's16le',
        '-',
      ],
      { maxBuffer, encoding: 'buffer' },
    ),
    packetTimesMs(file, 'a'),
  ]);
  const startMs = timesMs[0] ?? 0;
  const ticksMs: number[] = [];
  let lastLoud = -sampleRate;
  for (let index = 0; index * 2 + 1 < stdout.length; index += 1) {
    if (Math.abs(stdout.readInt16LE(index * 2)) < 8_192) continue;
    if (index - lastLoud > sampleRate / 4) ticksMs.push(startMs + (index / sampleRate) * 1000);
    lastLoud = index;
  }
  return ticksMs;
}

/**
 * By how much sound comes after the picture, in ms: for each flash with a tick within half a second,
 * the tick's time minus the flash's.
 */
export function skewsMs(
  frames: readonly TestFrame[],
  ticksMs: readonly number[],
): readonly number[] {
  return frames
    .filter(({ flash }) => flash)
    .flatMap(({ ptsMs }) => {
      const nearest = ticksMs
        .map((tick) => tick - ptsMs)
        .sort((a, b) => Math.abs(a) - Math.abs(b))[0];
      return nearest !== undefined && Math.abs(nearest) < 500 ? [nearest] : [];
    });
}
