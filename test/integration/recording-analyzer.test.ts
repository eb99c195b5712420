/** The analyzer of recordings, on what the real publisher sent and the real receiver wrote. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NativeEvent } from '../../lib/media/native-events.js';
import { analyzeRecording } from '../../lib/media/recording-analysis.js';
import { ErrorCode, MediaError } from '../../lib/util/errors.js';
import { runLoopback } from '../support/loopback.js';

/** One epoch's Matroska, as it is uploaded. `keep` chooses among its fragments. */
function matroskaOf(events: readonly NativeEvent[], keep: (fragment: number) => boolean): Buffer {
  const parts: Buffer[] = [];
  let fragment = -1;
  for (const event of events) {
    if (event.type === 'epoch') parts.push(event.header);
    if (event.type === 'fragmentStart') fragment += 1;
    if (event.type === 'mediaData' && keep(fragment)) parts.push(event.data);
    if (event.type === 'epochEnd') parts.push(event.trailer);
  }
  return Buffer.concat(parts);
}

describe('analyzeRecording', () => {
  let folder = '';
  let events: readonly NativeEvent[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvsb-analyzer-'));
    ({ receiverEvents: events } = await runLoopback({ videoFrames: 200 }));
  });
  after(() => rm(folder, { recursive: true }));

  async function write(name: string, bytes: Buffer): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  }

  it('finds every frame once, in sync', async () => {
    const path = await write(
      'whole.mkv',
      matroskaOf(events, () => true),
    );
    const analysis = await analyzeRecording(path);
    const written = events.reduce(
      (sum, event) => sum + (event.type === 'fragmentEnd' ? event.videoFrames : 0),
      0,
    );
    assert.equal(analysis.videoFrames, written);
    assert.equal(analysis.missingCounters, 0);
    assert.equal(analysis.repeatedCounters, 0);
    assert.equal(analysis.lastCounter - analysis.firstCounter + 1, written);
    assert.ok(analysis.avPairs >= 3, `${analysis.avPairs} pairs`);
    assert.ok(Math.abs(analysis.avSkewMs ?? Infinity) <= 40, `skew ${String(analysis.avSkewMs)}`);
    assert.ok(analysis.maxVideoGapMs >= 33, `gap ${analysis.maxVideoGapMs}`);
  });

  it('counts the frames of a fragment that is gone', async () => {
    const gone = events.filter((event) => event.type === 'fragmentEnd')[1];
    assert.ok(gone?.type === 'fragmentEnd');
    const path = await write(
      'gap.mkv',
      matroskaOf(events, (fragment) => fragment !== 1),
    );
    const analysis = await analyzeRecording(path);
    assert.equal(analysis.missingCounters, gone.videoFrames);
    assert.ok(analysis.maxVideoGapMs > 1_000, `gap ${analysis.maxVideoGapMs}`);
  });

  it('refuses what is no recording', async () => {
    const path = await write('noise.mkv', Buffer.alloc(10_000, 'noise'));
    for (const file of [path, join(folder, 'absent.mkv')]) {
      await assert.rejects(
        analyzeRecording(file),
        (error) => error instanceof MediaError && error.code === ErrorCode.media,
      );
    }
  });
});
