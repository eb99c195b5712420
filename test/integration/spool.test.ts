/** A PutMediaSink with a spool: outages longer than memory, crashes, turns, full and broken disks. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { localCredentials } from '../../lib/local/index.js';
import type { FragmentSpool } from '../../lib/putmedia/fragment-spool.js';
import { lookUpByListFragments } from '../../lib/putmedia/list-fragments.js';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import type { PutMediaSink } from '../../lib/putmedia/put-media-sink.js';
import { TestKvs } from '../support/local-kvs.js';
import {
  localSink,
  MkvProducer,
  readFrames,
  settledLookUp,
  StreamWitness,
} from '../support/mkv-producer.js';
import { drain, nextEvent, recordEvents } from '../support/sink-driver.js';
import { SmallDisk } from '../support/small-disk.js';
import { openSpool, SpoolPlace } from '../support/spool.js';

const mib = 1024 * 1024;

/** A sink that asks the archive, and the spool it has. */
function sinkWith(
  test: TestKvs,
  spool: FragmentSpool,
  options: Parameters<typeof localSink>[2] = {},
): PutMediaSink {
  return localSink(test, 's', { spool, ...options });
}

/** Payloads of one kind of event, so far. */
function payloadsOf<Name extends keyof MediaSinkEvents>(
  events: ReturnType<typeof recordEvents>,
  name: Name,
): MediaSinkEvents[Name][0][] {
  return events
    .filter((event) => event.name === name)
    .map(({ payload }) => payload as MediaSinkEvents[Name][0]);
}

/** Leaves `fragments` fragments in the spool, unsent, as a process that ended without KVS. */
async function leave(
  test: TestKvs,
  place: SpoolPlace,
  fragments: number,
  startMs?: number,
): Promise<MkvProducer> {
  const sink = sinkWith(test, place.open(), { endpoint: 'http://127.0.0.1:1' });
  const producer = new MkvProducer(sink, 1_000, startMs);
  producer.epoch(fragments);
  await sink.flush();
  const { videoFramesPending, videoFramesSpooled, videoFramesLost } = sink.stats();
  assert.deepEqual(
    [videoFramesPending, videoFramesSpooled, videoFramesLost],
    [3 * fragments, 3 * fragments, 0],
  );
  await sink.close();
  assert.equal(sink.stats().videoFramesSpooled, 3 * fragments);
  return producer;
}

describe('PutMediaSink with a spool', () => {
  it('loses nothing in an outage many times longer than its memory', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const lookUp = lookUpByListFragments({
      endpoint: test.kvs.url,
      region: test.kvs.region,
      streamName: 's',
      credentials: () => Promise.resolve(localCredentials),
    });
    let isReachable = false;
    await using sink = sinkWith(test, place.open(), {
      bufferBytes: mib,
      // An outage takes the archive with it.
      isPersisted: (timecodesMs, options) =>
        isReachable ? lookUp(timecodesMs, options) : Promise.reject(new Error('unreachable')),
    });
    const events = recordEvents(sink);
    const producer = new MkvProducer(sink);
    producer.beginEpoch();
    producer.fragment(3, 1_000);
    // Stored, but what says so is lost with the connection.
    using withheld = test.kvs.faults.delayPersisted({ delayMs: Infinity });
    producer.fragment(3, 1_000);
    producer.beginFragment();
    await witness.until(() => witness.timecodes.length === 2);
    using outage = test.kvs.faults.failCalls({
      operation: 'PutMedia',
      status: 503,
      type: 'ServiceUnavailable',
      times: 10_000,
    });
    test.kvs.faults.cutPutMedia();
    withheld.remove();
    producer.frame();
    producer.endFragment();
    for (let i = 0; i < 60; i++) {
      producer.fragment(10, 20_000);
      await sink.flush();
      assert.ok(sink.stats().bytesPending <= mib + 200_000, 'memory is not bounded');
    }
    assert.ok((sink.spoolStatus()?.bytes ?? 0) > 11 * mib);
    isReachable = true;
    outage.remove();
    producer.endEpoch();
    const { pendingFragments, lostFragments } = await drain(sink);
    assert.deepEqual([pendingFragments, lostFragments, payloadsOf(events, 'dropped')], [0, 0, []]);
    assert.deepEqual(witness.timecodes, producer.timecodes);
    assert.deepEqual(await readFrames(test, witness), producer.frames);
    assert.deepEqual(await place.files(), []);
  });

  it('sends what earlier ones left before its own, in order, and tells them apart', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const first = await leave(test, place, 3);
    const second = await leave(test, place, 2, 1_700_000_100_000);
    assert.equal((await place.files()).length, 5);
    await using sink = sinkWith(test, place.open());
    const events = recordEvents(sink);
    const own = new MkvProducer(sink, 1_000, 1_700_000_200_000);
    own.epoch(2);
    await drain(sink);
    assert.deepEqual(
      witness.timecodes,
      [first, second, own].flatMap(({ timecodes }) => timecodes),
    );
    assert.deepEqual(
      payloadsOf(events, 'persisted').map(({ recovered }) => recovered),
      [true, true, true, true, true, undefined, undefined],
    );
    const { videoFramesIn, videoFramesStored, videoFramesRecovered, fragmentsRecovered } =
      sink.stats();
    assert.deepEqual(
      [videoFramesIn, videoFramesStored, videoFramesRecovered, fragmentsRecovered],
      [6, 6, 15, 5],
    );
    await sink.close();
    assert.deepEqual(await readdir(place.folder), ['upload.lock']);
  });

  it('asks about what may be stored already, and about nothing else', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const lookUp = settledLookUp(test, 's', witness);
    using withheld = test.kvs.faults.delayPersisted({ delayMs: Infinity });
    const before = sinkWith(test, place.open());
    const producer = new MkvProducer(before);
    producer.beginEpoch();
    producer.fragment();
    producer.fragment();
    producer.beginFragment();
    await witness.until(() => witness.timecodes.length === 2);
    await before.close();
    withheld.remove();
    const left = await leave(test, place, 2, 1_700_000_100_000);
    const asked: number[] = [];
    await using sink = sinkWith(test, place.open(), {
      isPersisted: (timecodesMs, options) => {
        asked.push(...timecodesMs);
        return lookUp(timecodesMs, options);
      },
    });
    await nextEvent(sink, 'persisted', ({ timecodeMs }) => timecodeMs === left.timecodes[1]);
    await drain(sink);
    assert.deepEqual([...new Set(asked)].sort(), producer.timecodes.slice(0, 2));
    assert.deepEqual(witness.timecodes, [...producer.timecodes, ...left.timecodes]);
  });

  it('lets one upload at a time, and what waits goes up as soon as the other is done', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const first = sinkWith(test, place.open());
    const a = new MkvProducer(first);
    a.beginEpoch();
    a.fragment();
    await witness.until(() => witness.open === 1);
    await using second = sinkWith(test, place.open());
    const opened: unknown[] = [];
    second.on('connection', (event) => opened.push(event));
    const b = new MkvProducer(second, 1_000, 1_700_000_100_000);
    b.epoch(2);
    await second.flush();
    assert.deepEqual(opened, []);
    a.fragment();
    a.endEpoch();
    await drain(first);
    assert.deepEqual(opened, []);
    await first.close();
    await drain(second);
    assert.deepEqual(witness.timecodes, [...a.timecodes, ...b.timecodes]);
    assert.equal(witness.maxOpen, 1);
  });

  it('sends what turns up later before it goes on with its own', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    await using sink = sinkWith(test, place.open());
    const own = new MkvProducer(sink);
    own.beginEpoch();
    own.fragment();
    own.beginFragment();
    await witness.until(() => witness.timecodes.length === 1);
    const left = await leave(test, place, 2, 1_600_000_000_000);
    const found = nextEvent(sink, 'persisted', ({ recovered }) => recovered === true);
    while (sink.stats().fragmentsPending < 3) await delay(10);
    own.frame();
    own.endFragment();
    await found;
    own.fragment();
    own.endEpoch();
    await drain(sink);
    assert.deepEqual(witness.timecodes, [
      ...own.timecodes.slice(0, 2),
      ...left.timecodes,
      ...own.timecodes.slice(2),
    ]);
  });

  it('gives up the oldest when the spool is full, and says so', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    await using sink = sinkWith(test, place.open({ maxBytes: 3 * mib }), {
      endpoint: 'http://127.0.0.1:1',
      bufferBytes: mib,
    });
    const events = recordEvents(sink);
    const producer = new MkvProducer(sink);
    producer.beginEpoch();
    for (let i = 0; i < 20; i++) {
      producer.fragment(5, 100_000);
      await sink.flush();
      assert.ok((sink.spoolStatus()?.bytes ?? 0) <= 3 * mib + 600_000);
    }
    const dropped = payloadsOf(events, 'dropped');
    assert.ok(dropped.length > 8, `${String(dropped.length)} dropped`);
    assert.ok(
      dropped.every(({ reason, videoFrames }) => reason === 'spoolFull' && videoFrames === 5),
    );
    const { videoFramesIn, videoFramesPending, videoFramesLost } = sink.stats();
    assert.equal(videoFramesPending + videoFramesLost, videoFramesIn);
  });

  it('takes what is usable from a folder in any state, and reports the rest', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const left = await leave(test, place, 4);
    const [folder = ''] = (await readdir(place.folder)).filter((name) => name.startsWith('media-'));
    const [torn = '', bad = '', empty = ''] = await place.files();
    const path = (name: string): string => join(place.folder, name);
    // The last frame of the first is cut off; the head of the second is damaged.
    const bytes = await readFile(path(torn));
    await writeFile(path(torn), bytes.subarray(0, bytes.length - 25));
    await writeFile(path(bad), Buffer.concat([Buffer.from('rubbish'), await readFile(path(bad))]));
    await writeFile(path(empty), '');
    await appendFile(join(place.folder, folder, 'notes.txt'), 'not ours');
    await using sink = sinkWith(test, place.open());
    const warnings = collectWarnings(sink);
    const events = recordEvents(sink);
    await nextEvent(sink, 'persisted', ({ timecodeMs }) => timecodeMs === left.timecodes[3]);
    assert.deepEqual(witness.timecodes, [left.timecodes[0], left.timecodes[3]]);
    assert.deepEqual(
      payloadsOf(events, 'persisted').map(({ videoFrames }) => videoFrames),
      [2, 3],
    );
    for (const payload of payloadsOf(events, 'persisted')) {
      assert.deepEqual(Object.keys(payload).sort(), [
        ...['audioFrames', 'bytes', 'durationMs', 'epoch', 'fragmentNumber'],
        ...['persistLatencyMs', 'recovered', 'timecodeMs', 'videoFrames'],
      ]);
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /2 file\(s\) that are no fragments/);
    assert.equal((await readdir(join(place.folder, 'damaged'))).length, 2);
  });

  it('goes on in memory when the folder cannot be made, and says why', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const blocked = join(place.folder, 'file');
    await writeFile(blocked, '');
    await using sink = sinkWith(test, place.open({ folder: join(blocked, 'spool') }));
    const warnings = collectWarnings(sink);
    const producer = new MkvProducer(sink);
    producer.epoch(3);
    const { persistedFragments } = await drain(sink);
    assert.equal(persistedFragments, 3);
    assert.equal(warnings.length, 1);
    assert.deepEqual(sink.spoolStatus()?.state, 'memory');
    assert.equal(sink.spoolStatus()?.ordersUploads, false);
  });

  it('goes on in memory while the disk is full, then on disk again', async (t) => {
    await using disk = await SmallDisk.mount(2 * mib);
    if (disk === undefined) {
      t.skip('a tmpfs can be mounted by root only');
      return;
    }
    await using test = await TestKvs.start();
    await test.createStream('s');
    const witness = new StreamWitness(test, 's');
    using outage = test.kvs.faults.failCalls({
      operation: 'PutMedia',
      status: 503,
      type: 'ServiceUnavailable',
      times: 10_000,
    });
    const spool = openSpool(join(disk.folder, 'spool'), { retryMs: 50 });
    await using sink = sinkWith(test, spool);
    const states: string[] = [];
    sink.on('spool', ({ state }) => states.push(state));
    const warnings: (string | undefined)[] = [];
    sink.on('warning', ({ message, fix }) => warnings.push(message, fix));
    const producer = new MkvProducer(sink);
    producer.beginEpoch();
    for (let i = 0; i < 8; i++) {
      producer.fragment(5, 100_000);
      await sink.flush();
    }
    assert.deepEqual(states, ['memory']);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /is full \(ENOSPC\)/);
    assert.match(warnings[1] ?? '', /--spool-dir/);
    const { videoFramesSpooled, videoFramesPending } = sink.stats();
    assert.ok(videoFramesSpooled > 0 && videoFramesSpooled < videoFramesPending);
    outage.remove();
    // What is stored makes room on the disk.
    await nextEvent(sink, 'persisted', ({ timecodeMs }) => timecodeMs === producer.timecodes[6]);
    const recovered = nextEvent(sink, 'spool', ({ state }) => state === 'disk');
    await untilTrue(() => {
      producer.fragment(2, 1_000);
      return sink.spoolStatus()?.state === 'disk';
    });
    await recovered;
    producer.endEpoch();
    assert.equal((await drain(sink)).lostFragments, 0);
    assert.deepEqual(witness.timecodes, producer.timecodes);
    assert.equal(warnings.length, 2);
  });

  it('is not kept waiting by a folder that its owner still holds', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const owner = sinkWith(test, place.open(), { endpoint: 'http://127.0.0.1:1' });
    new MkvProducer(owner).epoch(1);
    await owner.flush();
    const spool = place.open();
    await using sink = sinkWith(test, spool);
    new MkvProducer(sink, 1_000, 1_700_000_100_000).epoch(1);
    await sink.flush();
    assert.equal(spool.mayUpload, false);
    await owner.close();
    await once(spool, 'mayUpload');
    assert.equal((await drain(sink)).persistedFragments, 1);
    assert.equal(sink.stats().fragmentsRecovered, 1);
  });
});

async function untilTrue(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(20);
}

function collectWarnings(sink: PutMediaSink): string[] {
  const messages: string[] = [];
  sink.on('warning', ({ message }) => messages.push(message));
  return messages;
}
