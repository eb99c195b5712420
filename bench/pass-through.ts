/**
 * What recording one 720p30 2 Mbit/s H.264 + Opus stream costs: the whole bridge (Bridge and media
 * process) beside a bare C receiver that does `webrtcbin ! depay ! parse`, Opus to AAC by avenc_aac,
 * and Matroska. Both take the same master's stream in the same windows of time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from './command.js';
import { FloorViewer } from './floor-viewer.js';
import { cpuSeconds, median, pssMb } from './process-usage.js';
import { startBenchStack } from './stack.js';

const warmUpMs = 8_000;
const windowMs = 20_000;
const windows = 3;

/** Result of {@link measurePassThrough}; CPU in percent of one core. */
export interface PassThroughResult {
  readonly bridgeCpuPercent: number;
  readonly floorCpuPercent: number;
  /** Median of the windows' ratios, bridge to floor. */
  readonly cpuRatio: number;
  /** Highest sum of both processes' proportional set sizes, in MB. */
  readonly bridgePeakPssMb: number;
  readonly floorPeakPssMb: number;
}

/** @param floorExecutable - the bare receiver */
export async function measurePassThrough(floorExecutable: string): Promise<PassThroughResult> {
  await using stack = await startBenchStack();
  await using bridge = new Command([
    'start',
    '--channel',
    stack.channel,
    '--stream',
    stack.stream,
    '--local',
    stack.url,
  ]);
  await bridge.event(({ event, state }) => event === 'state' && state === 'recording');
  await using floor = await FloorViewer.start({
    executable: floorExecutable,
    channelArn: stack.channelArn,
    endpoint: stack.viewerEndpoint,
    region: stack.region,
    credentials: stack.credentials,
  });
  await delay(warmUpMs);

  const bridgeCpu = (): number => bridge.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const bridgePss = (): number => bridge.pids.reduce((sum, pid) => sum + pssMb(pid), 0);
  const bridgePercents: number[] = [];
  const floorPercents: number[] = [];
  let bridgePeakPssMb = 0;
  let floorPeakPssMb = 0;
  for (let window = 0; window < windows; window += 1) {
    const [bridgeBefore, floorBefore, beganMs] = [
      bridgeCpu(),
      cpuSeconds(floor.pid),
      performance.now(),
    ];
    for (let elapsed = 0; elapsed < windowMs; elapsed += 2_000) {
      await delay(2_000);
      bridgePeakPssMb = Math.max(bridgePeakPssMb, bridgePss());
      floorPeakPssMb = Math.max(floorPeakPssMb, pssMb(floor.pid));
    }
    const seconds = (performance.now() - beganMs) / 1000;
    bridgePercents.push(((bridgeCpu() - bridgeBefore) / seconds) * 100);
    floorPercents.push(((cpuSeconds(floor.pid) - floorBefore) / seconds) * 100);
  }
  return {
    bridgeCpuPercent: median(bridgePercents),
    floorCpuPercent: median(floorPercents),
    cpuRatio: median(bridgePercents.map((value, index) => value / (floorPercents[index] ?? NaN))),
    bridgePeakPssMb,
    floorPeakPssMb,
  };
}
