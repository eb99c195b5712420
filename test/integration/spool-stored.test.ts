/** A spool whose process is killed just after KVS stored something: nobody may have been told. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PersistedEvent } from '../../lib/putmedia/media-sink.js';
import { TestKvs } from '../support/local-kvs.js';
import { localSink, MkvProducer, StreamWitness } from '../support/mkv-producer.js';
import { drain, nextEvent } from '../support/sink-driver.js';
import { SpoolPlace } from '../support/spool.js';

const storedFile = /\.stored$/;

async function untilFiles(place: SpoolPlace, count: number): Promise<void> {
  while ((await place.files(storedFile)).length !== count) await delay(10);
}

/** What both processes have to say alike. */
function essence(event: PersistedEvent): readonly unknown[] {
  const { epoch, timecodeMs, fragmentNumber, durationMs, videoFrames, audioFrames } = event;
  return [epoch, timecodeMs, fragmentNumber, durationMs, videoFrames, audioFrames];
}

describe('What a spool knows to be stored', () => {
  it('is told again after a crash, with its owner; nobody is asked and nothing sent', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    await using crashed = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const owner = { run: 'run', session: 3 };
    const spool = place.open({ owner, lingerMs: 60_000 });
    await using sink = localSink(test, 's', { spool });
    const told: PersistedEvent[] = [];
    sink.on('persisted', (event) => told.push(event));
    const producer = new MkvProducer(sink);
    producer.epoch(2);
    await nextEvent(sink, 'persisted', ({ timecodeMs }) => timecodeMs === producer.timecodes[1]);
    await untilFiles(place, 2);

    // What a process that is killed now leaves: its folder, and nobody who holds it.
    await cp(place.folder, crashed.folder, { recursive: true });
    const inherited = crashed.open({ lingerMs: 100 });
    await using next = localSink(test, 's', {
      spool: inherited,
      isPersisted: () => assert.fail('it asked'),
    });
    const again: PersistedEvent[] = [];
    next.on('persisted', (event) => again.push(event));
    while (again.length < told.length) await delay(10);
    assert.deepEqual(again.map(essence), told.map(essence));
    assert.deepEqual(
      again.map(({ recovered, owner: whose }) => ({ recovered, whose })),
      again.map(() => ({ recovered: true, whose: owner })),
    );
    await untilFiles(crashed, 0);
    assert.equal(again.length, 2);
    assert.equal(next.stats().fragmentsRecovered, 0);
    await drain(sink);
    assert.deepEqual(witness.timecodes, producer.timecodes);
  });
});
