import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsClock } from '../../lib/aws/clock.js';

const minuteMs = 60_000;
const startMs = Date.parse('2026-05-04T12:00:00Z');

describe('AwsClock', () => {
  it('follows AWS when the machine is off, and the machine again once that was set', () => {
    let localMs = startMs;
    const clock = new AwsClock(() => localMs);
    assert.equal(clock.observe(new Date(startMs + 90 * minuteMs).toUTCString()), true);
    assert.equal(clock.now(), startMs + 90 * minuteMs);
    localMs += 5_000;
    assert.equal(clock.now(), startMs + 90 * minuteMs + 5_000);

    localMs = startMs + 91 * minuteMs;
    assert.equal(clock.observe(new Date(localMs + 1_000).toUTCString()), true);
    assert.deepEqual([clock.offsetMs, clock.now()], [0, localMs]);
  });

  it('leaves small differences, and what is no date, alone', () => {
    const clock = new AwsClock(() => startMs);
    for (const date of [
      new Date(startMs + 59_000).toUTCString(),
      new Date(startMs - 59_000).toUTCString(),
      'yesterday',
      '',
      undefined,
    ]) {
      assert.equal(clock.observe(date), false);
      assert.equal(clock.offsetMs, 0);
    }
  });
});
