/** Events of a Bridge: listeners that throw, readers that are slow. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { EventHub } from '../../lib/bridge/event-hub.js';
import { BridgeState, ErrorCode, KvsBridgeError, Overflow } from '../../lib/index.js';
import type {
  BridgeEnd,
  BridgeEventName,
  BridgeTotals,
  DroppedEvents,
  StreamedEvent,
} from '../../lib/index.js';
import { noTotals } from '../../lib/media/media-session.js';

const totals: BridgeTotals = { ...noTotals, sessions: 1 };
const end: BridgeEnd = { totals, videoFramesUnsaved: 0 };

function overdue(hub: EventHub, from: number, to: number): void {
  for (let waitedMs = from; waitedMs <= to; waitedMs += 1)
    hub.emit('keyframeOverdue', { waitedMs });
}

/** Waits of the events read, or how many are missing there. */
async function readAll(
  events: AsyncIterable<StreamedEvent<'keyframeOverdue'> | DroppedEvents>,
): Promise<(number | string)[]> {
  const read: (number | string)[] = [];
  for await (const event of events) {
    read.push(event.name === 'dropped' ? `-${event.data.events}` : event.data.waitedMs);
  }
  return read;
}

function warnings(hub: EventHub): KvsBridgeError[] {
  const seen: KvsBridgeError[] = [];
  hub.on('warning', (error) => seen.push(error));
  return seen;
}

describe('listeners', () => {
  it('that throw or reject are warned of, and the others are called', async () => {
    const hub = new EventHub();
    const seen = warnings(hub);
    const called: string[] = [];
    hub.on('state', () => {
      throw new Error('of its own');
    });
    // As a program in JavaScript would: an async listener whose promise nobody waits for.
    const rejects = (): unknown => turn().then(() => Promise.reject(new Error('later')));
    hub.on('state', rejects);
    hub.once('state', ({ state }) => called.push(state));
    const change = { state: BridgeState.waiting, previous: BridgeState.starting, atMs: 0 };
    assert.equal(hub.emit('state', change), true);
    await turn();
    await turn();
    assert.deepEqual(called, ['waiting']);
    assert.deepEqual(
      seen.map(({ code, message }) => [code, /of its own|later/.exec(message)?.[0]]),
      [
        [ErrorCode.listener, 'of its own'],
        [ErrorCode.listener, 'later'],
      ],
    );
  });

  it('of warnings may throw too, without end or loop', () => {
    const hub = new EventHub();
    const seen = warnings(hub);
    hub.on('warning', () => {
      throw new Error('always');
    });
    hub.on('totals', () => {
      throw new Error('of totals');
    });
    hub.emit('totals', totals);
    assert.equal(seen.length, 1);
    assert.match(seen[0]?.message ?? '', /of totals/);
  });

  it('may subscribe to all events as values, until they do not want to', () => {
    const hub = new EventHub();
    const names: string[] = [];
    const unsubscribe = hub.subscribe(({ name }) => names.push(name));
    hub.emit('totals', totals);
    hub.emit('stopped', end);
    unsubscribe();
    hub.emit('totals', totals);
    assert.deepEqual(names, ['totals', 'stopped']);
  });
});

describe('readers of events', () => {
  it('get all in order, and the end after stopped', async () => {
    const hub = new EventHub();
    const events = hub.events({ names: ['keyframeOverdue'] });
    overdue(hub, 1, 3);
    hub.emit('totals', totals);
    hub.emit('stopped', end);
    assert.deepEqual(await readAll(events), [1, 2, 3]);
    assert.deepEqual(await readAll(hub.events({ names: ['keyframeOverdue'] })), []);
  });

  it('cannot ask for what does not exist', () => {
    const names = ['totals', 'total'] as BridgeEventName[];
    assert.throws(() => new EventHub().events({ names }), {
      code: ErrorCode.options,
      option: 'names.1',
      message: /^Option names\.1 must be one of state, .*, stopped, not "total"$/,
    });
  });

  it('that wait get each as it comes', async () => {
    const hub = new EventHub();
    const events = hub.events({ names: ['keyframeOverdue'] });
    const reading = readAll(events);
    for (let waitedMs = 1; waitedMs <= 3; waitedMs += 1) {
      overdue(hub, waitedMs, waitedMs);
      await turn();
    }
    hub.emit('stopped', end);
    assert.deepEqual(await reading, [1, 2, 3]);
  });

  it('that are slow are told where how many are missing, and a warning says so once', async () => {
    for (const [overflow, expected] of [
      [Overflow.dropOldest, ['-7', 8, 9, 10]],
      [Overflow.dropNewest, [1, 2, 3, '-7']],
    ] as const) {
      const hub = new EventHub();
      const seen = warnings(hub);
      const events = hub.events({ names: ['keyframeOverdue'], capacity: 3, overflow });
      overdue(hub, 1, 10);
      hub.emit('stopped', end);
      assert.deepEqual(await readAll(events), expected);
      assert.deepEqual(
        seen.map(({ code }) => code),
        [ErrorCode.eventsDropped],
      );
    }
  });

  it('are told of missing events where they are missing, in the midst of others', async () => {
    const hub = new EventHub();
    const events = hub.events({
      names: ['keyframeOverdue'],
      capacity: 2,
      overflow: Overflow.dropNewest,
    });
    overdue(hub, 1, 4);
    assert.equal((await events.next()).value?.name, 'keyframeOverdue');
    overdue(hub, 5, 6);
    hub.emit('stopped', end);
    assert.deepEqual(await readAll(events), [2, '-2', 5, '-1']);
  });

  it('may choose to fail instead', async () => {
    const hub = new EventHub();
    const events = hub.events({
      names: ['keyframeOverdue'],
      capacity: 2,
      overflow: Overflow.fail,
    });
    overdue(hub, 1, 3);
    const read: unknown[] = [];
    await assert.rejects(
      async () => {
        for await (const { data } of events) read.push(data);
      },
      { code: ErrorCode.eventsDropped },
    );
    assert.equal(read.length, 2);
  });

  it('that see only warnings do not make more of them', async () => {
    const hub = new EventHub();
    const events = hub.events({ names: ['warning'], capacity: 1 });
    for (let index = 0; index < 5; index += 1) {
      hub.emit('warning', new KvsBridgeError(ErrorCode.media, 'again'));
    }
    hub.emit('stopped', end);
    const names: string[] = [];
    for await (const { name } of events) names.push(name);
    assert.deepEqual(names, ['dropped', 'warning']);
  });

  it('end by their signal, or by leaving, and then cost nothing', async () => {
    const hub = new EventHub();
    const stop = new AbortController();
    const events = hub.events({ names: ['keyframeOverdue'], signal: stop.signal });
    const reading = readAll(events);
    stop.abort();
    assert.deepEqual(await reading, []);
    overdue(hub, 1, 2);
    assert.equal((await events.next()).done, true);
    assert.throws(() => hub.events({ capacity: 0 }), { code: ErrorCode.options });
  });
});
