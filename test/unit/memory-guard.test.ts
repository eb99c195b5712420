import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryGuard } from '../../lib/media/memory-guard.js';

describe('memory guard', () => {
  /** What each look finds, in MB, and whether it complains. */
  const complaints = (limitMb: number, seenMb: readonly number[]): readonly boolean[] => {
    const seen = seenMb.values();
    const guard = new MemoryGuard(limitMb * 1e6, () => (seen.next().value ?? 0) * 1e6);
    return seenMb.map(() => guard.check() !== undefined);
  };

  it('complains once, of the third excess in a row', () => {
    assert.deepEqual(complaints(100, [101, 100, 101, 101, 101, 101]), [
      ...[false, false, false, false, true, false],
    ]);
  });

  it('knows no limit of zero', () => {
    assert.deepEqual(complaints(0, [1e6, 1e6, 1e6]), [false, false, false]);
  });

  it('names both sizes and what to do', () => {
    const guard = new MemoryGuard(1_088_000_000, () => 1_200_400_000);
    guard.check();
    guard.check();
    const error = guard.check();
    assert.equal(error?.code, 'KVSB_MEDIA_PROCESS');
    assert.match(error.message, /1200 MB.*1088 MB/);
    assert.match(error.fix ?? '', /--media-memory-mb/);
  });
});
