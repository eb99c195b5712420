/**
 * How many frames are lost at which length of the jitter buffer: the numbers behind the default of
 * `--jitter-buffer-ms`. Writes docs/jitter-buffer.md.
 */
import { writeFile } from 'node:fs/promises';
import { runLossyCall } from '../test/support/lossy-call.js';

const bufferMs = [50, 100, 150, 200, 300, 400] as const;
const roundTripsMs = [20, 60] as const;
const lossPercents = [5, 10] as const;
const framesSent = 450;
/** Calls at the same time; more would disturb each other. */
const parallel = 3;
const output = process.argv[2] ?? 'docs/jitter-buffer.md';

/** Share of the frames received that was not decodable, in percent, for each length of the buffer. */
async function measure(roundTripMs: number, lossPercent: number): Promise<readonly number[]> {
  const lost: number[] = [];
  for (let first = 0; first < bufferMs.length; first += parallel) {
    const calls = bufferMs.slice(first, first + parallel).map((jitterBufferMs) =>
      runLossyCall({
        conditions: { delayMs: roundTripMs / 2, jitterMs: 10, lossPercent },
        jitterBufferMs,
        framesSent,
        seed: 1,
      }),
    );
    for (const call of await Promise.all(calls)) {
      lost.push((100 * (call.framesDropped['undecodable'] ?? 0)) / call.framesReceived);
    }
  }
  return lost;
}

const rows: string[] = [];
for (const roundTripMs of roundTripsMs) {
  for (const lossPercent of lossPercents) {
    const lost = await measure(roundTripMs, lossPercent);
    const cells = [`${String(roundTripMs)} ms`, `${String(lossPercent)} %`].concat(
      lost.map((percent) => `${percent.toFixed(1)} %`),
    );
    rows.push(`| ${cells.join(' | ')} |`);
    process.stdout.write(`${rows.at(-1) ?? ''}\n`);
  }
}
const columns = ['round trip', 'loss'].concat(bufferMs.map((ms) => `${String(ms)} ms`));
const text = `# Choosing \`--jitter-buffer-ms\`

Frames that had to be dropped because a packet they need was not there in time, in percent of the
frames received, by the length of the jitter buffer. ${String(framesSent)} frames each (640×360, 30 a
second, 600 kbit/s), random loss both ways, 10 ms of jitter; lost packets are asked for again by NACK.

| ${columns.join(' | ')} |
|${' --- |'.repeat(columns.length)}
${rows.join('\n')}

The jitter buffer delays the recording by its length. Made by \`node scripts/jitter-buffer.mjs\`.
`;
await writeFile(output, text);
