import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Pacer } from '../../lib/signaling/pacer.js';

describe('Pacer', () => {
  let sent: { message: string; atMs: number }[] = [];
  const create = (): Pacer<'candidate' | 'sdp'> =>
    new Pacer({
      limits: { sdp: 5, candidate: 20 },
      send: (message) => {
        sent.push({ message, atMs: Date.now() });
      },
      now: () => Date.now(),
    });

  beforeEach(() => {
    sent = [];
    mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  const run = (durationMs: number): void => {
    // Small steps, so that timers set by timers fire at their own time.
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 10) mock.timers.tick(10);
  };

  it('sends what is within the limits at once', () => {
    const pacer = create();
    for (let index = 0; index < 5; index += 1) pacer.push('sdp', `s${String(index)}`);
    assert.deepEqual(
      sent.map(({ message }) => message),
      ['s0', 's1', 's2', 's3', 's4'],
    );
    assert.equal(pacer.length, 0);
  });

  it('never exceeds a limit in any second, also after a pause, and keeps the order', () => {
    const pacer = create();
    const pushed: string[] = [];
    const push = (kind: 'candidate' | 'sdp'): void => {
      const message = `${kind}-${String(pushed.length)}`;
      pushed.push(message);
      pacer.push(kind, message);
    };
    for (let index = 0; index < 3; index += 1) push('sdp');
    run(3000);
    for (let index = 0; index < 90; index += 1) push(index % 10 === 0 ? 'sdp' : 'candidate');
    run(700);
    for (let index = 0; index < 30; index += 1) push('candidate');
    run(20_000);
    assert.deepEqual(
      sent.map(({ message }) => message),
      pushed,
    );
    for (const [kind, limit] of [
      ['sdp', 5],
      ['candidate', 20],
    ] as const) {
      const times = sent.filter(({ message }) => message.startsWith(kind)).map(({ atMs }) => atMs);
      for (const [index, atMs] of times.entries()) {
        const later = times[index + limit];
        assert.ok(later === undefined || later - atMs > 1000, `${kind} ${String(index)} too fast`);
      }
    }
  });

  it('waits no longer than needed', () => {
    const pacer = create();
    for (let index = 0; index < 100; index += 1) pacer.push('candidate', String(index));
    run(5000);
    assert.equal(sent.length, 100);
  });

  it('drops what waits when it is cleared', () => {
    const pacer = create();
    for (let index = 0; index < 8; index += 1) pacer.push('sdp', String(index));
    assert.equal(pacer.length, 3);
    pacer.clear();
    run(5000);
    assert.equal(sent.length, 5);
    pacer.push('sdp', 'next');
    assert.equal(sent.length, 6);
  });
});
