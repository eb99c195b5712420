/** `npm run bench`: measures, prints, and writes docs/benchmarks.md. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { measureFirstPersisted } from './first-persisted.js';
import { measurePassThrough } from './pass-through.js';
import { measureTranscoding } from './transcoding.js';

const [floorExecutable, transcodeExecutable] = process.argv.slice(2);
if (floorExecutable === undefined || transcodeExecutable === undefined) {
  throw new TypeError('usage: main.js <floor receiver> <transcoding track>');
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

print('Start to first PERSISTED, ten runs …');
const steps = await measureFirstPersisted();
print('Pass-through beside the bare receiver, about 70 s …');
const usage = await measurePassThrough(floorExecutable);
print('Transcoding beside gst-launch-1.0, about 60 s …');
const transcoding = await measureTranscoding(transcodeExecutable);

const report = `# Benchmarks

Written by \`npm run bench\`; do not edit. Machine: ${cpus().length} cores, Node ${process.version},
shared and noisy: read the ratio, not the absolute figures.

## CPU and memory of one 720p30 2 Mbit/s H.264 + Opus stream

The bridge (Bridge and media process, upload included) beside a bare C program that does
\`webrtcbin ! depay ! parse\`, Opus to AAC by \`avenc_aac\`, and Matroska. Same master, same windows of
time; medians of three windows of 20 s.

| | CPU, % of a core | Peak PSS, MB |
|---|---|---|
| kvs-bridge, both processes | ${usage.bridgeCpuPercent.toFixed(2)} | ${usage.bridgePeakPssMb.toFixed(0)} |
| bare receiver | ${usage.floorCpuPercent.toFixed(2)} | ${usage.floorPeakPssMb.toFixed(0)} |
| ratio | ${usage.cpuRatio.toFixed(2)} | |

## Transcoding 720p30 VP8 at 2 Mbit/s to H.264

A track of the bridge (depayloader, decoder, encoder, and all that watches them) beside
\`gst-launch-1.0\` with the same decoder and the same encoder settings, on the same file, in real time
and at the same time; medians of ${transcoding.runs} runs.

| | CPU, % of a core |
|---|---|
| kvs-bridge's track | ${transcoding.trackCpuPercent.toFixed(1)} |
| gst-launch-1.0 | ${transcoding.launchCpuPercent.toFixed(1)} |
| ratio | ${transcoding.cpuRatio.toFixed(2)} |

## From start to the first PERSISTED fragment

Loopback, local KVS, medians of ten runs.

| Step | ms since start |
|---|---|
${[...steps].map(([step, ms]) => `| ${step} | ${ms.toFixed(0)} |`).join('\n')}
`;
print(report);
await writeFile('docs/benchmarks.md', report);
