/** The parts of the benchmarks, by name: each measures something and is a section of the page. */
import { Isolation } from '../lib/index.js';
import type { Chart } from './chart.js';
import { measureFirstPersisted } from './first-persisted.js';
import { measurePassThrough } from './pass-through.js';
import type { RecorderCost } from './pass-through.js';
import type { Programs } from './programs.js';
import { jitterBufferMs, measureScale } from './scale.js';
import type { ScaleStep } from './scale.js';
import { firstLate, scaleTable, table } from './tables.js';
import { measureTranscoding } from './transcoding.js';

/** A section of docs/benchmarks.md, without its heading. */
export interface Section {
  readonly text: string;
  /** By file name without `.svg`. */
  readonly charts?: Readonly<Record<string, Chart>>;
}

/** One part. */
export interface Part {
  readonly title: string;
  /** How long it takes, for people who wait. */
  readonly takes: string;
  readonly measure: (programs: Programs, options: PartOptions) => Promise<Section>;
}

/** What a caller may choose. */
export interface PartOptions {
  /** `dist` of another build, measured beside this one where CPU is compared. */
  readonly baseline?: string;
}

const streamCounts = [1, 4, 8, 12, 16, 20] as const;

/** Of each step, in ms: six fragments of each stream. */
const windowMs = 12_000;
/** Memory is read once. */
const memoryWindowMs = 4_000;

/** In the order of the page. */
export const parts: Readonly<Record<string, Part>> = {
  'pass-through': {
    title: 'CPU and memory of one stream',
    takes: '2 min',
    measure: passThrough,
  },
  streams: { title: '1 to 20 streams', takes: '5 min', measure: streams },
  memory: { title: 'Memory of further streams', takes: '80 s', measure: memory },
  'first-persisted': {
    title: 'From start to the first PERSISTED fragment',
    takes: '40 s',
    measure: firstPersisted,
  },
  'transcode-streams': { title: 'Streams to transcode', takes: '2 min', measure: transcodeStreams },
  transcode: { title: 'CPU of transcoding', takes: '70 s', measure: transcode },
};

async function passThrough(programs: Programs, { baseline }: PartOptions): Promise<Section> {
  const result = await measurePassThrough(programs, baseline);
  const row = (name: string, { cpuPercent, cpuRatio, peakPssMb }: RecorderCost): string[] => [
    name,
    cpuPercent.toFixed(2),
    cpuRatio.toFixed(2),
    peakPssMb.toFixed(0),
  ];
  const rows = [
    row('`kvs-bridge start`, both processes', result.bridge),
    ...(result.baseline === undefined ? [] : [row('the build before', result.baseline)]),
    row('bare receiver', result.floor),
  ];
  return {
    text: `\`kvs-bridge start\` with spool and TLS upload beside the bare receiver, which does neither: same
sender, same six windows of 10 s after 20 s, medians.

${table(['', 'CPU, % of a core', 'ratio', 'PSS, MB'], rows)}`,
  };
}

async function streams(programs: Programs): Promise<Section> {
  const steps = await measureScale({
    programs,
    codec: 'h264',
    isolation: Isolation.process,
    counts: streamCounts,
    withFloor: true,
    beyondLate: true,
    windowMs,
  });
  const of = (read: (step: ScaleStep) => number): [number, number][] =>
    steps.map((step) => [step.streams, read(step)]);
  return {
    text: `One process with a Bridge for each stream, \`isolation: 'process'\`; then as many bare receivers.
Senders and local KVS run on the same cores. ${firstLate(steps)}

![CPU](benchmarks/cpu.svg)

![Latency](benchmarks/latency.svg)

${scaleTable(steps)}`,
    charts: {
      cpu: {
        title: 'CPU for each pass-through stream',
        xLabel: 'streams',
        yLabel: '% of a core',
        series: [
          { name: 'kvs-bridge', points: of(({ cpuPercent }) => cpuPercent) },
          { name: 'bare receiver', points: of(({ floorCpuPercent }) => floorCpuPercent ?? NaN) },
        ],
      },
      latency: {
        title: 'From RTP in to PutMedia out',
        xLabel: 'streams',
        yLabel: 'ms',
        series: [
          { name: 'p50', points: of(({ latencyMs }) => latencyMs.p50) },
          { name: 'p95', points: of(({ latencyMs }) => latencyMs.p95) },
          { name: 'p99', points: of(({ latencyMs }) => latencyMs.p99) },
        ],
        limit: { name: 'jitter buffer + 50 ms', y: jitterBufferMs + 50 },
      },
    },
  };
}

async function memory(programs: Programs): Promise<Section> {
  const counts = [1, 4] as const;
  const measure = (isolation: Isolation): Promise<readonly ScaleStep[]> =>
    measureScale({
      programs,
      codec: 'h264',
      isolation,
      counts,
      withFloor: false,
      beyondLate: true,
      windowMs: memoryWindowMs,
    });
  const own = await measure(Isolation.process);
  const shared = await measure(Isolation.none);
  const points = (steps: readonly ScaleStep[]): [number, number][] =>
    steps.map((step) => [step.streams, step.pssMb]);
  const row = (name: string, steps: readonly ScaleStep[]): string[] => [
    name,
    ...steps.map(({ pssMb }) => pssMb.toFixed(0)),
    furtherStreamMb(steps).toFixed(0),
  ];
  return {
    text: `Proportional set size of all recording processes after some seconds.

![Memory](benchmarks/memory.svg)

${table(
  ['MB with so many streams', ...counts.map(String), 'each further'],
  [row("`isolation: 'process'`", own), row("`isolation: 'none'`", shared)],
)}`,
    charts: {
      memory: {
        title: 'Memory by number of streams',
        xLabel: 'streams',
        yLabel: 'PSS, MB',
        series: [
          { name: "isolation 'process'", points: points(own) },
          { name: "isolation 'none'", points: points(shared) },
        ],
      },
    },
  };
}

function furtherStreamMb(steps: readonly ScaleStep[]): number {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return NaN;
  return (last.pssMb - first.pssMb) / (last.streams - first.streams);
}

async function firstPersisted(programs: Programs): Promise<Section> {
  const steps = await measureFirstPersisted(programs);
  return {
    text: `Loopback, medians of ten runs. A fragment is persisted when the one after it begins, so that two
seconds of it are the fragment itself.

${table(
  ['Step', 'ms since start'],
  [...steps].map(([step, ms]) => [step, ms.toFixed(0)]),
)}`,
  };
}

async function transcodeStreams(programs: Programs): Promise<Section> {
  const steps = await measureScale({
    programs,
    codec: 'vp8',
    isolation: Isolation.process,
    counts: [1, 4, 5, 6, 7, 8],
    withFloor: false,
    beyondLate: false,
    windowMs,
  });
  return {
    text: `720p30 VP8 to H.264, as above, up to the first step with a late fragment or a lost frame. The bare
receiver is no measure here: it does not transcode. ${firstLate(steps)}

${scaleTable(steps)}`,
  };
}

async function transcode({ transcode: executable }: Programs): Promise<Section> {
  const { runs, trackCpuPercent, launchCpuPercent, cpuRatio } =
    await measureTranscoding(executable);
  return {
    text: `720p30 VP8 at 2 Mbit/s to H.264: a track of the bridge (depayloader, decoder, encoder, and all that
watches them) beside \`gst-launch-1.0\` with the same decoder and the same encoder settings, on the
same file, in real time and at the same time; medians of ${runs} runs.

${table(
  ['', 'CPU, % of a core', 'ratio'],
  [
    ["kvs-bridge's track", trackCpuPercent.toFixed(1), cpuRatio.toFixed(2)],
    ['gst-launch-1.0', launchCpuPercent.toFixed(1), '1'],
  ],
)}`,
  };
}
