/**
 * What decoding VP8 and encoding H.264 costs: a track of the bridge beside `gst-launch-1.0` with the
 * same decoder and encoder, on the same file, at the same time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { own, makeFolder, removeFolder } from './leftovers.js';
import { cpuSeconds, median } from './process-usage.js';

const seconds = 18;
const runs = 3;
const frames = seconds * 30;
/** Reading CPU time needs a process that still runs. */
const sampleMs = 200;

/** Result of {@link measureTranscoding}; CPU in percent of one core. */
export interface TranscodingResult {
  readonly runs: number;
  readonly trackCpuPercent: number;
  readonly launchCpuPercent: number;
  /** Median of the runs' ratios, track to `gst-launch-1.0`. */
  readonly cpuRatio: number;
}

/** The encoder as native/media/tracks/transcoder_elements.cc sets it, at the bitrate that it would choose. */
const encoder =
  'x264enc tune=zerolatency speed-preset=superfast pass=qual quantizer=23 bitrate=2765 ' +
  'key-int-max=300 bframes=0 threads=1 option-string=scenecut=0';

/** @param trackExecutable - runs a file through a track of the bridge */
export async function measureTranscoding(trackExecutable: string): Promise<TranscodingResult> {
  const folder = await makeFolder();
  try {
    const file = join(folder, 'vp8.webm');
    await usageOf('gst-launch-1.0', [
      ...`-q videotestsrc num-buffers=${String(frames)} horizontal-speed=3 pattern=smpte`.split(
        ' ',
      ),
      ...'! video/x-raw,format=I420,width=1280,height=720,framerate=30/1'.split(' '),
      ...'! vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 end-usage=cbr'.split(' '),
      ...`! webmmux ! filesink location=${file}`.split(' '),
    ]);
    const launch =
      `-q filesrc location=${file} ! matroskademux ! identity sync=true ! vp8dec threads=1 ! ` +
      `queue max-size-buffers=2 ! ${encoder} ! video/x-h264,profile=main ! fakesink sync=false`;
    const tracks: number[] = [];
    const launches: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const [track, launched] = await Promise.all([
        usageOf(trackExecutable, [file]),
        usageOf('gst-launch-1.0', launch.split(' ')),
      ]);
      const { frames: came } = JSON.parse(track.output) as { frames: number };
      if (came !== frames) throw new Error(`${String(came)} of ${String(frames)} frames came out`);
      tracks.push(track.cpuSeconds);
      launches.push(launched.cpuSeconds);
    }
    return {
      runs,
      trackCpuPercent: (median(tracks) / seconds) * 100,
      launchCpuPercent: (median(launches) / seconds) * 100,
      cpuRatio: median(tracks.map((value, index) => value / (launches[index] ?? NaN))),
    };
  } finally {
    await removeFolder(folder);
  }
}

/** Runs a program to its end. */
async function usageOf(
  program: string,
  args: readonly string[],
): Promise<{ readonly cpuSeconds: number; readonly output: string }> {
  const child = own(spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  let used = 0;
  const timer = setInterval(() => {
    try {
      used = cpuSeconds([child.pid ?? 0]);
    } catch {
      // It has ended since.
    }
  }, sampleMs);
  const output = text(child.stdout);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}`);
  return { cpuSeconds: used, output: await output };
}
