/**
 * How it goes with more and more streams at the same time, senders and local KVS on the same machine:
 * CPU and memory for each stream, how long frames and fragments take, and when the first is late.
 * The bare receiver gets the same number of streams, directly after.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Isolation } from '../lib/index.js';
import { ForkedModule } from './child.js';
import { FloorViewer } from './floor-viewer.js';
import { cpuSeconds, familyOf, percentile, pssMb } from './process-usage.js';
import type { Programs } from './programs.js';
import type { RecorderPlan, RecordersReady, RecordersReport } from './recorder-messages.js';
import { channelName, Service } from './service.js';

const warmUpMs = 5_000;
/** What starting held up takes its time to catch up, longer with each process that starts. */
const warmUpMsEach = 400;

/** The bridge's own default, as the recorders here run. */
export const jitterBufferMs = 300;

/** A fragment that is persisted later than this after its last frame is late, in ms. */
export const lateAfterMs = jitterBufferMs + 1_000;

/** With so many streams. */
export interface ScaleStep {
  readonly streams: number;
  /** Of a core, for each stream. */
  readonly cpuPercent: number;
  /** The same for the bare receivers; undefined where they are no measure. */
  readonly floorCpuPercent: number | undefined;
  /** Of one core: senders and local KVS together. */
  readonly surroundingsCpuPercent: number;
  /** All recording processes, in MB. */
  readonly pssMb: number;
  /** From frame sent to its first bytes at KVS, in ms; NaN where frames carry no time. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** From the end of a fragment's last frame until it is persisted, in ms. */
  readonly persistLagMs: { readonly p50: number; readonly p99: number };
  readonly fragments: number;
  readonly lateFragments: number;
  /** Video frames that were received and lost, and holes in what is stored. */
  readonly framesLost: number;
  readonly gaps: number;
}

/** What to measure. */
export interface ScaleOptions {
  readonly programs: Programs;
  readonly codec: 'h264' | 'vp8';
  readonly isolation: Isolation;
  /** How many streams, one measurement each, ascending. */
  readonly counts: readonly number[];
  /** Compare with as many bare receivers. */
  readonly withFloor: boolean;
  /** Go on after a step with a late fragment or a lost frame. */
  readonly beyondLate: boolean;
  /** Length of each measurement. */
  readonly windowMs: number;
}

/** One step for each count, until one is late. */
export async function measureScale(options: ScaleOptions): Promise<readonly ScaleStep[]> {
  const { programs, codec, counts } = options;
  await using service = await Service.start({
    senderExecutable: programs.sender,
    codec,
    channels: Math.max(...counts),
  });
  const steps: ScaleStep[] = [];
  for (const streams of counts) {
    const step = await measureStep(service, streams, options);
    steps.push(step);
    if (isLate(step) && !options.beyondLate) break;
  }
  return steps;
}

/** Something did not arrive in time, or not at all. */
export function isLate({ lateFragments, framesLost, gaps }: ScaleStep): boolean {
  return lateFragments + framesLost + gaps > 0;
}

async function measureStep(
  service: Service,
  streams: number,
  options: ScaleOptions,
): Promise<ScaleStep> {
  const { programs, isolation, withFloor, windowMs } = options;
  const bridges = await measureBridges(service, streams, isolation, windowMs);
  service.senders.closeAll();
  const floorCpuPercent = withFloor
    ? await measureFloor(service, streams, programs.floorReceiver, windowMs)
    : undefined;
  service.senders.closeAll();
  return { streams, floorCpuPercent, ...bridges };
}

async function measureBridges(
  service: Service,
  streams: number,
  isolation: Isolation,
  windowMs: number,
): Promise<Omit<ScaleStep, 'floorCpuPercent' | 'streams'>> {
  const plan: RecorderPlan = {
    url: service.url,
    ca: service.ca,
    spoolDir: `${service.folder}/spool`,
    isolation,
    channels: Array.from({ length: streams }, (_, index) => channelName(index)),
  };
  await using recorders = new ForkedModule<RecordersReady | RecordersReport>(
    './recorder-process.js',
    [JSON.stringify(plan)],
  );
  await recorders.next('ready');
  await delay(warmUpMs + streams * warmUpMsEach);
  const before = await reportOf(recorders);
  service.beginReport();
  const around = [service.senders.pid, service.kvsPid];
  const percents = await cpuPercentsOf([familyOf(recorders.pid), around], windowMs);
  const memory = pssMb(familyOf(recorders.pid));
  const { frameLatenciesMs, persistLagsMs, fragments } = await service.report();
  const after = await reportOf(recorders);
  const [latency, lag] = [frameLatenciesMs, persistLagsMs].map((values) => ({
    p50: percentile(values, 50),
    p95: percentile(values, 95),
    p99: percentile(values, 99),
  }));
  if (latency === undefined || lag === undefined) throw new RangeError('nothing was measured');
  return {
    cpuPercent: (percents[0] ?? NaN) / streams,
    surroundingsCpuPercent: percents[1] ?? NaN,
    pssMb: memory,
    latencyMs: latency,
    persistLagMs: lag,
    fragments,
    lateFragments: persistLagsMs.filter((lagMs) => lagMs > lateAfterMs).length,
    framesLost: after.framesLost - before.framesLost,
    gaps: after.gaps - before.gaps,
  };
}

async function measureFloor(
  service: Service,
  streams: number,
  executable: string,
  windowMs: number,
): Promise<number> {
  const viewers: FloorViewer[] = [];
  try {
    for (let index = 0; index < streams; index += 1) {
      viewers.push(await FloorViewer.start(executable, service.channel(index)));
    }
    await delay(warmUpMs);
    const [percent = NaN] = await cpuPercentsOf([viewers.map(({ pid }) => pid)], windowMs);
    return percent / streams;
  } finally {
    await Promise.all(viewers.map((viewer) => viewer[Symbol.asyncDispose]()));
  }
}

/** CPU of several groups of processes in the same window, in percent of a core. */
async function cpuPercentsOf(
  groups: readonly (readonly number[])[],
  windowMs: number,
): Promise<readonly number[]> {
  const before = groups.map((pids) => cpuSeconds(pids));
  const beganMs = performance.now();
  await delay(windowMs);
  const seconds = (performance.now() - beganMs) / 1000;
  return groups.map((pids, index) => ((cpuSeconds(pids) - (before[index] ?? NaN)) / seconds) * 100);
}

async function reportOf(
  recorders: ForkedModule<RecordersReady | RecordersReport>,
): Promise<RecordersReport> {
  const report = recorders.next('report');
  recorders.send({ type: 'report' });
  return report;
}
