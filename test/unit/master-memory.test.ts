import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MasterMemory } from '../../lib/bridge/master-memory.js';

describe('memory of a master', () => {
  it('waits longer for a first packet after each session without one, up to five minutes', () => {
    const memory = new MasterMemory();
    const waits = Array.from({ length: 9 }, () => {
      const { firstMediaMs } = memory;
      memory.onNoMedia(false);
      return firstMediaMs;
    });
    assert.deepEqual(
      waits,
      [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000],
    );
    memory.onMedia();
    assert.equal(memory.firstMediaMs, 5_000);
  });

  it('lets video pause longer after each session that did not end the pause', () => {
    const memory = new MasterMemory();
    const patience = (): number => memory.silentVideoMs;
    assert.equal(patience(), 4_000);
    memory.onNoMedia(true);
    memory.onNoMedia(true);
    assert.equal(patience(), 16_000);
    assert.equal(memory.firstMediaMs, 5_000);
    memory.onVideo(60_000);
    assert.equal(patience(), 16_000);
    memory.onVideo(300);
    assert.equal(patience(), 4_000);
    for (let sessions = 0; sessions < 9; sessions += 1) memory.onNoMedia(true);
    assert.equal(patience(), 300_000);
  });

  it('offers often for ten minutes to a master that was here, and rarely to one that was not', () => {
    let nowMs = 0;
    const memory = new MasterMemory(() => nowMs);
    const delays = (): number[] => [0, 1, 2, 3].map((repeats) => memory.reofferDelayMs(repeats));
    const rarely = [5_000, 10_000, 25_000, 25_000];
    assert.deepEqual(delays(), rarely);
    memory.onSeen();
    nowMs = 599_999;
    assert.deepEqual(delays(), [2_000, 2_000, 2_000, 2_000]);
    // One that takes its time to answer is not asked again before.
    memory.onAnswer(3_100);
    assert.deepEqual(delays(), [6_200, 6_200, 6_200, 6_200]);
    nowMs = 600_000;
    assert.deepEqual(delays(), rarely);
  });

  it('gives up soon on a connection that came about sooner before, but not each time', () => {
    let nowMs = 0;
    const memory = new MasterMemory(() => nowMs);
    const attempts = (): number[] =>
      Array.from({ length: 5 }, () => {
        const { connectMs } = memory;
        memory.onNoConnection();
        return connectMs;
      });
    assert.deepEqual(attempts(), [10_000, 10_000, 10_000, 10_000, 10_000]);
    memory.onConnected(300);
    assert.deepEqual(attempts(), [3_000, 3_000, 3_000, 10_000, 3_000]);
    memory.onConnected(1_500);
    assert.equal(memory.connectMs, 6_000);
    nowMs = 600_000;
    assert.equal(memory.connectMs, 10_000);
  });
});
