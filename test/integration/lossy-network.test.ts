/** Loss, bursts, reordering, duplication and jitter: nothing is stored that does not decode. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { analyzeRecording } from '../../lib/media/recording-analysis.js';
import { decodeErrors } from '../support/decode.js';
import { runLossyCall } from '../support/lossy-call.js';
import type { LossyCall } from '../support/lossy-call.js';
import type { LinkConditions } from '../support/lossy-link.js';

interface Case {
  readonly name: string;
  readonly conditions: LinkConditions;
  readonly jitterBufferMs: number;
  /** Of the frames sent, at least this share is stored: far below what is usual. */
  readonly storedShare: number;
}

const cases: readonly Case[] = [
  {
    name: '5 % loss, 60 ms round trip',
    conditions: { delayMs: 30, lossPercent: 5 },
    jitterBufferMs: 300,
    storedShare: 0.6,
  },
  {
    name: '10 % loss, 20 ms round trip',
    conditions: { delayMs: 10, lossPercent: 10 },
    jitterBufferMs: 300,
    storedShare: 0.6,
  },
  {
    name: 'bursts of 8 packets, 5 % in all',
    conditions: { delayMs: 10, lossPercent: 5, burstPackets: 8 },
    jitterBufferMs: 300,
    storedShare: 0.5,
  },
  {
    name: 'jitter, reordering and duplication',
    conditions: { delayMs: 10, jitterMs: 30, reorderPercent: 5, duplicatePercent: 5 },
    jitterBufferMs: 300,
    storedShare: 0.9,
  },
  {
    // Too short for anything to be sent again in time: every loss is final.
    name: '2 % loss that nothing makes good',
    conditions: { delayMs: 60, lossPercent: 2 },
    jitterBufferMs: 30,
    storedShare: 0.1,
  },
];

describe('a network that loses packets', () => {
  let folder = '';
  let calls: readonly LossyCall[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-lossy-'));
    calls = await Promise.all(
      cases.map(({ conditions, jitterBufferMs }, index) =>
        runLossyCall({ conditions, jitterBufferMs, framesSent: 300, seed: index + 1 }),
      ),
    );
  });
  after(() => rm(folder, { recursive: true }));

  for (const [index, { name, storedShare }] of cases.entries()) {
    it(`stores only what decodes: ${name}`, async (context) => {
      const call = calls[index];
      assert.ok(call !== undefined);
      assert.ok(call.framesSent >= 300, `${String(call.framesSent)} frames sent`);
      const dropped = Object.values(call.framesDropped).reduce((sum, frames) => sum + frames, 0);
      assert.equal(call.framesReceived, call.framesStored + dropped);
      context.diagnostic(
        `${String(call.framesSent)} sent, ${String(call.framesStored)} stored, dropped ` +
          JSON.stringify(call.framesDropped),
      );
      assert.ok(call.framesStored >= storedShare * call.framesSent);
      let decoded = 0;
      for (const [epoch, bytes] of call.files.entries()) {
        const file = join(folder, `${String(index)}-${String(epoch)}.mkv`);
        await writeFile(file, bytes);
        assert.equal(await decodeErrors(file), '');
        const analysis = await analyzeRecording(file);
        decoded += analysis.videoFrames;
        assert.equal(analysis.repeatedCounters, 0);
        const worst = analysis.avSkewWorstMs ?? 0;
        context.diagnostic(
          `skew ${String(analysis.avSkewMs)} ms, worst ${String(worst)} ms; largest gap ` +
            `${String(analysis.maxVideoGapMs)} ms`,
        );
        // The median: a tick whose first packet is lost begins late, however right the times are.
        const skew = analysis.avSkewMs ?? 0;
        assert.ok(Math.abs(skew) <= 40, `skew ${String(skew)} ms`);
      }
      assert.equal(decoded, call.framesStored);
    });
  }
});
