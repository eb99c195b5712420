/** Codec changes, and the tags that tell of them. */
import assert from 'node:assert/strict';
import { RecordingSession } from '../support/recording-session.js';
import { largestGapMs, readTestPattern } from '../support/stored-media.js';
import type { FragmentMedia } from '../support/stored-media.js';
import { assertPlayable, assertTotals, sinkCase } from './sink-case.js';
import type { SinkCase } from './sink-case.js';

/** Between frames of 30 a second, with some room for the encoder to start anew. */
const maxGapMs = 250;

function tagOf({ tags }: FragmentMedia, name: string): string | undefined {
  return tags.find((tag) => tag.name === name)?.value;
}

export const epochCases: readonly SinkCase[] = [
  sinkCase('begins an epoch where the resolution changes, and loses nothing', async (sink) => {
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(2);
    session.master.setSize(480, 640);
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video', 'audio']);
    assertTotals(end, media);
    const sizes = media.epochs.map(({ streams }) => {
      const video = streams.find(({ kind }) => kind === 'video');
      return `${String(video?.width)}x${String(video?.height)}`;
    });
    assert.deepEqual(sizes, ['640x360', '480x640']);
    assert.deepEqual([end.totals.videoFramesLost, end.totals.videoFramesPending], [0, 0]);
    const { missing, repeated } = await readTestPattern(media);
    assert.deepEqual([missing, repeated, media.duplicates], [0, 0, 0]);
    assert.ok(largestGapMs(media) <= maxGapMs, `${String(largestGapMs(media))} ms`);
    // The first fragment of each epoch tells its number.
    assert.deepEqual(
      media.fragments.flatMap((fragment) => tagOf(fragment, 'kvsb-epoch') ?? []),
      session.epochs.map(({ epoch }) => String(epoch)),
    );
  }),
  sinkCase('stores sound without a picture', async (sink) => {
    await using session = await RecordingSession.start(sink, { master: { video: false } });
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assertPlayable(media, ['audio']);
    const counted = media.fragments.reduce((sum, { audioMs }) => sum + audioMs.length, 0);
    assert.equal(counted, end.totals.audioFramesStored);
    assert.equal(end.totals.audioFramesStored, end.totals.audioFramesReceived);
  }),
  sinkCase('keeps tags with the fragments that they were put to', async (sink) => {
    await using session = await RecordingSession.start(sink, {
      bridge: { tags: { site: 'yard' } },
    });
    await session.untilPersisted(2);
    const { newestReceivedMs } = session.bridge.totals;
    session.bridge.putFragmentMetadata('door', 'open');
    await session.untilPersisted(4);
    const { media } = await session.finish();
    for (const fragment of media.fragments) {
      assert.equal(tagOf(fragment, 'site'), 'yard');
      assert.ok(tagOf(fragment, 'kvsb-session') !== undefined);
    }
    // On the first fragment to begin after it was put, and on no other.
    const tagged = media.fragments.filter((fragment) => tagOf(fragment, 'door') !== undefined);
    assert.deepEqual(
      tagged.map((fragment) => tagOf(fragment, 'door')),
      ['open'],
    );
    assert.ok((tagged[0]?.timecodeMs ?? 0) > newestReceivedMs - 1_000);
  }),
];
