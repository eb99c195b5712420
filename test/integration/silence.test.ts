/** Sound with pauses: what is stored lasts as long as the recording, without a hole. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingSession } from '../support/recording-session.js';

const frameMs = 1_024 / 48;

describe('a master with Opus DTX', () => {
  it('gets its pauses filled with silence, to the sample', async () => {
    await using session = await RecordingSession.start('putmedia', {
      master: { shape: { opusDtx: true } },
    });
    await session.untilPersisted(4);
    const { media } = await session.finish();
    const timesMs = media.fragments.flatMap(({ audioMs }) => audioMs);
    assert.ok(timesMs.length > 4_000 / frameMs / 2);
    const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0) + frameMs;
    // The decoder gives out as much sound as the timestamps say, all along.
    for (const [index, timeMs] of timesMs.slice(1).entries()) {
      const stepMs = timeMs - (timesMs[index] ?? 0);
      assert.ok(
        stepMs < frameMs + 2,
        `${String(stepMs)} ms from block ${String(index)} to the next`,
      );
    }
    assert.ok(Math.abs(timesMs.length * frameMs - spanMs) <= frameMs, `${String(spanMs)} ms`);
  });
});
