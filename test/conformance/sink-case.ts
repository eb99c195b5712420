/** What a case of the conformance suite is. */
import assert from 'node:assert/strict';
import type { BridgeEnd } from '../../lib/index.js';
import type { SinkName } from '../support/sinks.js';
import { decodeComplaints } from '../support/stored-media.js';
import type { StoredMedia } from '../support/stored-media.js';

/** One promise that every sink keeps. */
export interface SinkCase {
  /** What the sink does, as a sentence goes on after "the sink …". */
  readonly name: string;
  /**
   * By sink: how it differs by its nature, as docs/sinks.md has it. The case then asserts the
   * difference instead; it is named in the output.
   */
  readonly differences: Partial<Record<SinkName, string>>;
  readonly run: (sink: SinkName) => Promise<void>;
}

/** Makes a case. */
export function sinkCase(
  name: string,
  run: (sink: SinkName) => Promise<void>,
  differences: SinkCase['differences'] = {},
): SinkCase {
  return { name, run, differences };
}

/** Bounds of a fragment's length, in ms; see docs/sinks.md. */
const shortestMs = 1_000;
const longestMs = 20_000;

/** Every fragment and every epoch decodes without a complaint, and no fragment lacks a track. */
export function assertPlayable(media: StoredMedia, kinds: readonly ('video' | 'audio')[]): void {
  assert.deepEqual(decodeComplaints(media), []);
  for (const { streams } of media.epochs) {
    assert.deepEqual(
      streams.map(({ kind }) => kind),
      kinds,
    );
  }
  for (const { number, videoMs, audioMs } of media.fragments) {
    assert.equal(videoMs.length > 0, kinds.includes('video'), `video of ${number}`);
    assert.equal(audioMs.length > 0, kinds.includes('audio'), `audio of ${number}`);
  }
}

/** No fragment but the last is shorter than a second or longer than twenty. */
export function assertFragmentLengths({ fragments }: StoredMedia): void {
  for (const [index, { lengthMs, number }] of fragments.entries()) {
    const isLast = index === fragments.length - 1;
    assert.ok(isLast || lengthMs >= shortestMs, `${number} lasts ${String(lengthMs)} ms`);
    assert.ok(lengthMs <= longestMs, `${number} lasts ${String(lengthMs)} ms`);
  }
}

/** What was received is stored, lost or pending. */
export function assertAccounted({ totals }: BridgeEnd): void {
  const { videoFramesReceived, videoFramesStored, videoFramesLost, videoFramesPending } = totals;
  assert.equal(
    videoFramesReceived,
    videoFramesStored + videoFramesLost + videoFramesPending,
    'received = stored + lost + pending',
  );
}

/** Frames that the stream has. */
export function countVideoFrames({ fragments }: StoredMedia): number {
  return fragments.reduce((sum, { videoMs }) => sum + videoMs.length, 0);
}

/** {@link assertAccounted}, and what is stored can be counted in the stream. */
export function assertTotals(end: BridgeEnd, media: StoredMedia): void {
  assertAccounted(end);
  assert.equal(countVideoFrames(media), end.totals.videoFramesStored, 'frames that decode');
}
