/** What is stored of media when nothing goes wrong. */
import assert from 'node:assert/strict';
import { RecordingSession } from '../support/recording-session.js';
import { leadingTimesMs, readTestPattern } from '../support/stored-media.js';
import { assertFragmentLengths, assertPlayable, assertTotals, sinkCase } from './sink-case.js';
import type { SinkCase } from './sink-case.js';

/** How far apart flash and tick may be stored, in ms. */
const maxSkewMs = 40;

export const mediaCases: readonly SinkCase[] = [
  sinkCase('stores picture and sound whole and in step, over several fragments', async (sink) => {
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(6);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video', 'audio']);
    assertFragmentLengths(media);
    assertTotals(end, media);
    assert.equal(media.duplicates, 0);
    assert.equal(end.totals.videoFramesLost, 0);
    assert.equal(end.totals.fragmentsPersisted, media.fragments.length);
    // Every fragment follows on the one before.
    for (const [index, { timecodeMs, lengthMs }] of media.fragments.slice(0, -1).entries()) {
      assert.equal(timecodeMs + lengthMs, media.fragments[index + 1]?.timecodeMs);
    }
    const { frames, missing, repeated, skewsMs } = await readTestPattern(media);
    assert.equal(frames.length, end.totals.videoFramesStored);
    assert.deepEqual([missing, repeated], [0, 0]);
    assert.ok(skewsMs.length >= 3);
    for (const skew of skewsMs) assert.ok(Math.abs(skew) <= maxSkewMs, `${String(skew)} ms`);
  }),
  sinkCase('stores over TLS, with an authority that is named', async (sink) => {
    await using session = await RecordingSession.start(sink, { overTls: true });
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video', 'audio']);
    assertTotals(end, media);
    assert.equal(end.totals.videoFramesLost, 0);
  }),
  sinkCase('stores a picture without sound', async (sink) => {
    await using session = await RecordingSession.start(sink, { master: { audio: false } });
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video']);
    assertFragmentLengths(media);
    assertTotals(end, media);
    assert.equal(end.totals.audioFramesStored, 0);
    const { missing, repeated } = await readTestPattern(media);
    assert.deepEqual([missing, repeated], [0, 0]);
  }),
  sinkCase('gives fragments the producer times of their first frames', async (sink) => {
    const beforeMs = Date.now();
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(4);
    const { media } = await session.finish();
    const afterMs = Date.now();
    assert.deepEqual(
      media.fragments.map(({ timecodeMs }) => timecodeMs),
      session.persisted.map(({ timecodeMs }) => timecodeMs),
    );
    for (const { timecodeMs, videoMs, audioMs } of media.fragments) {
      assert.equal(Math.min(videoMs[0] ?? NaN, audioMs[0] ?? NaN), timecodeMs);
    }
    // By the machine's clock, in which the media was made.
    const timesMs = leadingTimesMs(media);
    assert.ok(Math.min(...timesMs) >= beforeMs && Math.max(...timesMs) <= afterMs);
    // The test picture flashes at full seconds; a busy machine may not have sent one of them.
    const flashes = (await readTestPattern(media)).frames.filter(({ flash }) => flash);
    assert.ok(flashes.length >= 3);
    for (const [index, { ptsMs }] of flashes.slice(1).entries()) {
      const stepMs = ptsMs - (flashes[index]?.ptsMs ?? NaN);
      const seconds = Math.max(1, Math.round(stepMs / 1_000));
      const offMs = Math.abs(stepMs - seconds * 1_000);
      assert.ok(offMs <= maxSkewMs, `${String(stepMs)} ms between flashes`);
    }
  }),
  sinkCase('has the last frame persisted when it has drained', async (sink) => {
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(2);
    const { end, media } = await session.finish();
    assert.ok(end.totals.newestPersistedMs >= end.totals.newestReceivedMs);
    assert.deepEqual([end.totals.videoFramesPending, end.totals.videoFramesLost], [0, 0]);
    assert.equal(leadingTimesMs(media).at(-1), end.totals.newestReceivedMs);
    const { frames } = await readTestPattern(media);
    assert.equal(frames.length, end.totals.videoFramesReceived);
  }),
  sinkCase('tells readers the codec of the sound that it stores as it came', async (sink) => {
    await using session = await RecordingSession.start(sink, {
      bridge: { audio: 'source' },
      master: { audioCodec: 'pcmu' },
    });
    await session.untilPersisted(2);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video', 'audio']);
    assertTotals(end, media);
    for (const { streams } of media.epochs) {
      assert.deepEqual(
        streams.map(({ codec }) => codec),
        ['h264', 'pcm_mulaw'],
      );
    }
  }),
];
