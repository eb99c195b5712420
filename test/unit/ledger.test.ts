/** The ledger's core: what it makes of anything that can happen to a recording. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Gap } from '../../lib/ledger/gap-list.js';
import { without } from '../../lib/ledger/interval-set.js';
import type { LedgerLine } from '../../lib/ledger/ledger-lines.js';
import { parseLedgerLine } from '../../lib/ledger/ledger-lines.js';
import { Ledger } from '../../lib/ledger/ledger.js';
import { LedgerStory, seededRandom } from '../support/ledger-story.js';

const frameMs = 40;
const everything = { forgetBeforeMs: 0, maxGaps: 1_000_000 };

function read(lines: readonly LedgerLine[]): Ledger {
  const ledger = new Ledger();
  for (const line of lines) ledger.apply(line);
  return ledger;
}

/** As a file gives it back. */
function throughText(lines: readonly LedgerLine[]): readonly LedgerLine[] {
  return lines.map((line) => {
    const parsed = parseLedgerLine(JSON.stringify(line));
    assert.ok(parsed !== undefined, JSON.stringify(line));
    return parsed;
  });
}

function countFates({ frames }: LedgerStory): Record<string, number> {
  const counts: Record<string, number> = { stored: 0, lost: 0, pending: 0 };
  for (const { fate } of frames) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}

function requireDisjoint(gaps: readonly Gap[]): void {
  for (const [index, { fromMs, toMs }] of gaps.entries()) {
    assert.ok(fromMs <= toMs);
    assert.ok((gaps[index - 1]?.toMs ?? -Infinity) <= fromMs, `${JSON.stringify(gaps)} overlap`);
  }
}

function framesIn(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { videoFramesLost }) => sum + videoFramesLost, 0);
}

function tell(seed: number, sessions: number, options = {}): LedgerStory {
  const story = new LedgerStory(seed, options);
  for (let index = 0; index < sessions; index += 1) story.next();
  story.finish();
  return story;
}

describe('ledger', () => {
  it('has every moment either stored or in one gap, and every lost frame in one', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const story = tell(seed, 1 + (seed % 12));
      const ledger = read(story.lines);
      const gaps = ledger.gaps();
      const range = ledger.range;
      assert.ok(range !== undefined);
      requireDisjoint(gaps);
      assert.deepEqual(
        ledger.frames(),
        { received: story.frames.length, ...countFates(story) },
        `seed ${String(seed)}`,
      );
      assert.equal(framesIn(gaps), countFates(story)['lost']);
      // What is no gap is stored: the frames tell.
      const stored = without([range], gaps);
      for (const { timeMs, fate } of story.frames) {
        const inGap = gaps.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs);
        const isStored = stored.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs);
        assert.equal(
          isStored,
          fate === 'stored',
          `seed ${String(seed)}: ${fate} at ${String(timeMs)}`,
        );
        assert.equal(inGap, fate !== 'stored');
      }
      const lengthMs = stored.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      const storedFrames = countFates(story)['stored'] ?? 0;
      // Holes of up to 200 ms between two sessions count as stored.
      assert.ok(Math.abs(lengthMs - storedFrames * frameMs) <= 200 * story.frames.length);
    }
  });

  it('says the same when it is compacted, at any moment', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const clockSteps = seed % 3 === 0;
      const { lines, nowMs } = tell(seed, 1 + (seed % 12), { clockSteps });
      const random = seededRandom(seed);
      let ledger = new Ledger();
      for (const line of lines) {
        ledger.apply(line);
        if (random() > 0.1) continue;
        const finalBeforeMs = nowMs - Math.floor(random() * 120_000);
        const compacted = ledger.compact({ ...everything, finalBeforeMs });
        const again = read(throughText(compacted));
        assert.deepEqual(again.gaps(), ledger.gaps(), `seed ${String(seed)}`);
        assert.deepEqual(again.frames(), ledger.frames(), `seed ${String(seed)}`);
        ledger = again;
      }
      const straight = read(lines);
      assert.deepEqual(ledger.frames(), straight.frames(), `seed ${String(seed)}`);
      // What a clock that was set back records in the time of a final gap does not change that.
      if (!clockSteps) assert.deepEqual(ledger.gaps(), straight.gaps(), `seed ${String(seed)}`);
    }
  });

  it('takes a line in once', () => {
    const { lines } = tell(7, 9);
    const ledger = new Ledger();
    for (const [index, line] of lines.entries()) {
      // As after a compaction by another writer: the last lines come again.
      for (const known of lines.slice(Math.max(0, index - 3), index + 1)) ledger.apply(known);
      ledger.apply(line);
    }
    assert.deepEqual(ledger.gaps(), read(lines).gaps());
    assert.deepEqual(ledger.frames(), read(lines).frames());
  });

  it('keeps its sums when the clock is set', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const story = tell(seed, 8, { clockSteps: true });
      const ledger = read(story.lines);
      requireDisjoint(ledger.gaps());
      assert.deepEqual(ledger.frames(), { received: story.frames.length, ...countFates(story) });
      assert.equal(framesIn(ledger.gaps()), ledger.frames().lost);
    }
  });

  it('forgets the oldest and keeps its sums', () => {
    const { lines, nowMs } = tell(11, 60);
    const before = read(lines);
    const limits = { forgetBeforeMs: 0, maxGaps: 20, finalBeforeMs: nowMs };
    const after = read(throughText(before.compact(limits)));
    const gaps = after.gaps();
    assert.ok(gaps.length >= 20 && gaps.length < before.gaps().length);
    assert.deepEqual(gaps, before.gaps().slice(-gaps.length));
    const { received, stored, lost, pending } = after.frames();
    assert.equal(stored, before.frames().stored);
    assert.equal(lost, framesIn(gaps));
    assert.equal(received, stored + lost + pending);
  });

  it('keeps the newest, and tells the same of it', () => {
    const max = 16;
    for (let seed = 1; seed <= 30; seed += 1) {
      const { lines, nowMs } = tell(seed, 80);
      const ledger = new Ledger();
      for (const line of lines) {
        ledger.apply(line);
        ledger.keepNewest(max);
      }
      const all = read(lines);
      const gaps = ledger.gaps();
      const latest = gaps.slice(-max / 2);
      assert.deepEqual(latest, all.gaps().slice(-latest.length), `seed ${String(seed)}`);
      assert.equal(ledger.newestMs, all.newestMs);
      assert.equal(ledger.range?.toMs, all.range?.toMs);
      // Stretches, holes, losses, causes and sessions, and a few lines of the whole.
      const limits = { ...everything, finalBeforeMs: nowMs - 86_400_000 };
      const kept = ledger.compact(limits).length;
      assert.ok(kept <= 5 * 2 * max + 60, `${String(kept)} lines are left`);
      assert.ok(kept < all.compact(limits).length / 2);
    }
  });
});
