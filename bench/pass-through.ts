/**
 * What recording one 720p30 2 Mbit/s H.264 + Opus stream costs: `kvs-bridge start`, Bridge and media
 * process, spool and TLS upload included, beside a bare C receiver (bench/floor). All take the same
 * media in the same windows of time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Programs } from './programs.js';
import { startRecording } from './command.js';
import { FloorViewer } from './floor-viewer.js';
import { cpuSeconds, median, pssMb } from './process-usage.js';
import { Service } from './service.js';

/** V8 compiles what is hot, and clears away what starting took, within this time. */
const warmUpMs = 20_000;
const windowMs = 10_000;
const windows = 6;

/** CPU in percent of one core: the median of all windows. */
export interface RecorderCost {
  readonly cpuPercent: number;
  /** Median of the windows' ratios to the floor in the same window. */
  readonly cpuRatio: number;
  /** Highest sum of the processes' proportional set sizes, in MB. */
  readonly peakPssMb: number;
}

/** Result of {@link measurePassThrough}. */
export interface PassThroughResult {
  readonly bridge: RecorderCost;
  readonly floor: RecorderCost;
  /** Another build of the bridge, where one was named. */
  readonly baseline: RecorderCost | undefined;
}

/** One of those that are compared. */
interface Contestant {
  readonly pids: () => readonly number[];
  readonly cpuPercents: number[];
  peakPssMb: number;
}

/** @param baselineBuild - `dist` of another build to measure in the same windows */
export async function measurePassThrough(
  programs: Programs,
  baselineBuild?: string,
): Promise<PassThroughResult> {
  await using service = await Service.start({ senderExecutable: programs.sender, channels: 2 });
  await using bridge = startRecording(service, 0);
  await bridge.event(({ event, state }) => event === 'state' && state === 'recording');
  await using baseline =
    baselineBuild === undefined ? undefined : startRecording(service, 1, baselineBuild);
  await baseline?.event(({ event, state }) => event === 'state' && state === 'recording');
  await using floor = await FloorViewer.start(programs.floorReceiver, service.channel(0));
  await delay(warmUpMs);

  const contestant = (pids: () => readonly number[]): Contestant => ({
    pids,
    cpuPercents: [],
    peakPssMb: 0,
  });
  const ours = contestant(() => bridge.pids);
  const bare = contestant(() => [floor.pid]);
  const other = baseline && contestant(() => baseline.pids);
  const all = [ours, bare, ...(other === undefined ? [] : [other])];
  for (let window = 0; window < windows; window += 1) await measureWindow(all);
  return {
    bridge: costOf(ours, bare),
    floor: costOf(bare, bare),
    baseline: other && costOf(other, bare),
  };
}

async function measureWindow(contestants: readonly Contestant[]): Promise<void> {
  const before = contestants.map(({ pids }) => cpuSeconds(pids()));
  const beganMs = performance.now();
  await delay(windowMs);
  const seconds = (performance.now() - beganMs) / 1000;
  for (const [index, each] of contestants.entries()) {
    const used = cpuSeconds(each.pids()) - (before[index] ?? NaN);
    each.cpuPercents.push((used / seconds) * 100);
    each.peakPssMb = Math.max(each.peakPssMb, pssMb(each.pids()));
  }
}

function costOf({ cpuPercents, peakPssMb }: Contestant, floor: Contestant): RecorderCost {
  const ratios = cpuPercents.map((value, index) => value / (floor.cpuPercents[index] ?? NaN));
  return { cpuPercent: median(cpuPercents), cpuRatio: median(ratios), peakPssMb };
}
