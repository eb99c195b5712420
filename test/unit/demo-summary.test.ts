/** What the demo says of its recording. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarize, summaryLines } from '../../bin/demo/summary.js';
import { noTotals } from '../../lib/media/media-session.js';

describe("the demo's summary", () => {
  const textOf = (framesSent: number, videoFramesReceived: number, missingCounters: number) => {
    const analysis = {
      videoFrames: videoFramesReceived,
      videoDurationMs: 10_000,
      audioDurationMs: 10_000,
      firstCounter: 0,
      lastCounter: framesSent - 1,
      missingCounters,
      repeatedCounters: 0,
      maxVideoGapMs: 66.7,
      avPairs: 0,
    };
    return summaryLines(
      summarize({
        framesSent,
        totals: {
          ...noTotals,
          videoFramesReceived,
          videoFramesStored: videoFramesReceived,
          fragmentsPersisted: 5,
          sessions: 1,
        },
        firstPersistedMs: 2_500,
        recording: { paths: ['demo.mkv'], analyses: [analysis] },
      }),
    ).join('\n');
  };

  it('tells of frames that did not arrive', () => {
    const text = textOf(300, 299, 1);
    assert.match(text, /300 sent, 299 received \(1 did not arrive\), 299 stored, 0 lost/);
    assert.match(text, /1 burned-in numbers missing, 0 repeated; at most 66\.7 ms apart/);
  });

  it('says so when nothing is missing', () => {
    const text = textOf(300, 300, 0);
    assert.match(text, /300 sent, 300 received, 300 stored, 0 lost/);
    assert.match(text, /each burned-in number once, without a gap/);
    assert.match(text, /not measured/);
  });

  it('has no recording of nothing', () => {
    const nothing = { framesSent: 0, totals: { ...noTotals, sessions: 0 } };
    const summary = summarize({ ...nothing, firstPersistedMs: undefined, recording: undefined });
    assert.match(
      summaryLines(summary).join('\n'),
      /Nothing was persisted, so there is no recording/,
    );
  });
});
