/** Which events `--json` writes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventFilter } from '../../bin/cli/event-filter.js';
import { bridgeEventNames } from '../../lib/index.js';
import type { BridgeEvent, SpoolState } from '../../lib/index.js';
import { noTotals } from '../../lib/media/media-session.js';

const hourMs = 3_600_000;
const totals: BridgeEvent = { name: 'totals', atMs: 0, data: { ...noTotals, sessions: 1 } };
const overdue: BridgeEvent = { name: 'keyframeOverdue', atMs: 0, data: { waitedMs: 1 } };
const spool = (state: SpoolState): BridgeEvent => ({
  name: 'spool',
  atMs: 0,
  data: { state, bytes: 0, fragments: 0, ordersUploads: true },
});

/** Which of the events are written. */
function taken(filter: EventFilter, ...events: readonly BridgeEvent[]): readonly boolean[] {
  return events.map((event) => filter.takes(event));
}

describe('the events of --json', () => {
  it('are those that were chosen', () => {
    const filter = new EventFilter({ events: ['totals'], totalsInterval: hourMs });
    assert.deepEqual(taken(filter, overdue, totals, spool('disk')), [false, true, false]);
  });

  it('come at once, but for what only counts on', () => {
    const filter = new EventFilter({ events: bridgeEventNames, totalsInterval: hourMs });
    assert.deepEqual(taken(filter, totals, totals, overdue, overdue), [true, false, true, true]);
    const disk = spool('disk');
    assert.deepEqual(taken(filter, disk, disk, spool('memory'), disk), [true, false, true, true]);
  });

  it('count again when the interval is over', async () => {
    const filter = new EventFilter({ events: bridgeEventNames, totalsInterval: 600 });
    assert.deepEqual(taken(filter, totals), [true]);
    await sleep(150);
    assert.deepEqual(taken(filter, totals), [true]);
  });
});
