import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MasterMemory } from '../../lib/bridge/master-memory.js';

describe('memory of a master', () => {
  it('waits longer for a first packet after each session without one, up to five minutes', () => {
    const memory = new MasterMemory();
    const waits = Array.from({ length: 9 }, () => {
      const { firstMediaMs } = memory;
      memory.onNoMedia();
      return firstMediaMs;
    });
    assert.deepEqual(
      waits,
      [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000],
    );
    memory.onMedia();
    assert.equal(memory.firstMediaMs, 5_000);
  });

  it('offers often for ten minutes to a master that was here, and rarely to one that was not', () => {
    let nowMs = 0;
    const memory = new MasterMemory(() => nowMs);
    const delays = (): number[] => [0, 1, 2, 3].map((repeats) => memory.reofferDelayMs(repeats));
    const rarely = [5_000, 10_000, 25_000, 25_000];
    assert.deepEqual(delays(), rarely);
    memory.onSeen();
    nowMs = 599_999;
    assert.deepEqual(delays(), [4_000, 4_000, 4_000, 4_000]);
    nowMs = 600_000;
    assert.deepEqual(delays(), rarely);
  });
});
