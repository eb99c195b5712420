/** Whatever breaks and wherever, each fragment is in the archive once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { LocalKvsEvents } from '../../lib/local/index.js';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { lookUpByListFragments } from '../../lib/putmedia/list-fragments.js';
import type { PersistedLookup } from '../../lib/putmedia/stored-check.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { localCredentials } from '../../lib/local/index.js';
import { TestKvs } from '../support/local-kvs.js';
import {
  localSink,
  MkvProducer,
  readFrames,
  settledLookUp,
  StreamWitness,
} from '../support/mkv-producer.js';
import { drain, recordEvents } from '../support/sink-driver.js';

const cuts = 32;

/** Cuts connection after connection, each time somewhere else; then lets all of it through. */
async function cutEverywhere(
  test: TestKvs,
  stream: string,
  witness: StreamWitness,
  isPersisted: PersistedLookup | undefined,
): Promise<MkvProducer> {
  await test.createStream(stream);
  await using sink = localSink(test, stream, isPersisted === undefined ? {} : { isPersisted });
  const producer = new MkvProducer(sink);
  producer.beginEpoch();
  producer.fragment();
  for (let cut = 0; cut < cuts; cut++) {
    // Stored, but what says so never arrives.
    using withheld = test.kvs.faults.delayPersisted({ streamName: stream, delayMs: Infinity });
    const previous = producer.timecodes.at(-1) ?? 0;
    for (let frame = -1; frame < 3; frame++) {
      if (frame < 0) producer.beginFragment();
      else producer.frame();
      await turn();
      if (frame !== (cut % 4) - 1) continue;
      // Half the cuts come when the fragment before is in the archive, half at any moment.
      if (cut % 8 < 4) await witness.until(() => witness.timecodes.includes(previous));
      else await witness.until(() => witness.open > 0);
      const over = witness.causes.length;
      assert.equal(test.kvs.faults.cutPutMedia({ streamName: stream }), 1);
      withheld.remove();
      await witness.until(() => witness.causes.length > over);
    }
    producer.endFragment();
  }
  producer.endEpoch();
  const { pendingFragments, lostFragments } = await drain(sink);
  assert.deepEqual([pendingFragments, lostFragments], [0, 0]);
  const { videoFramesIn, videoFramesStored } = sink.stats();
  assert.equal(videoFramesStored, videoFramesIn);
  return producer;
}

describe('PutMediaSink and the archive', () => {
  it(`stores each fragment once over ${String(cuts)} cuts at every point of a fragment`, async () => {
    await using test = await TestKvs.start();
    const witness = new StreamWitness(test, 's');
    const producer = await cutEverywhere(test, 's', witness, settledLookUp(test, 's', witness));
    assert.deepEqual(witness.timecodes, producer.timecodes);
    assert.deepEqual(await readFrames(test, witness), producer.frames);
    assert.equal(witness.openedAtMs.length, cuts + 1);
  });

  it('may store fragments twice, but loses none, when it cannot ask', async () => {
    await using test = await TestKvs.start();
    const witness = new StreamWitness(test, 's');
    const producer = await cutEverywhere(test, 's', witness, undefined);
    assert.ok(witness.timecodes.length > producer.timecodes.length, 'nothing was stored twice');
    assert.deepEqual([...new Set(witness.timecodes)].sort(), producer.timecodes);
  });

  it('does not believe the first answer that a fragment is not there', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    const witness = new StreamWitness(test, 's');
    const settled = settledLookUp(test, 's', witness);
    let asked = 0;
    await using sink = localSink(test, 's', {
      settleMs: 60_000,
      // ListFragments is eventually consistent.
      isPersisted: (timecodesMs, options) => {
        asked += 1;
        return asked === 1 ? Promise.resolve(new Map()) : settled(timecodesMs, options);
      },
    });
    const events = recordEvents(sink);
    using withheld = test.kvs.faults.delayPersisted({ delayMs: Infinity });
    const producer = new MkvProducer(sink);
    producer.epoch(2);
    await witness.until(() => witness.fragments.length === 2);
    test.kvs.faults.cutPutMedia();
    withheld.remove();
    assert.equal((await drain(sink)).persistedFragments, 2);
    assert.deepEqual([asked, witness.timecodes], [2, producer.timecodes]);
    // The numbers are KVS's, and nothing was left to open another connection for.
    assert.deepEqual(
      events
        .filter(({ name }) => name === 'persisted')
        .map(({ payload }) => (payload as MediaSinkEvents['persisted'][0]).fragmentNumber),
      witness.fragments.map(({ fragmentNumber }) => fragmentNumber),
    );
    assert.equal(witness.openedAtMs.length, 1);
  });

  it('says once that it may not ask, with the permission that lacks, and sends again', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    const witness = new StreamWitness(test, 's');
    using denied = test.kvs.faults.failCalls({
      operation: 'ListFragments',
      status: 401,
      type: 'NotAuthorizedException',
      times: 100,
    });
    const requests: LocalKvsEvents['request'][0][] = [];
    test.kvs.on('request', (request) => requests.push(request));
    await using sink = localSink(test, 's', {
      settleMs: 60_000,
      isPersisted: lookUpByListFragments({
        endpoint: test.kvs.url,
        region: test.kvs.region,
        streamName: 's',
        credentials: () => Promise.resolve(localCredentials),
      }),
    });
    const events = recordEvents(sink);
    const producer = new MkvProducer(sink);
    producer.beginEpoch();
    producer.fragment();
    for (let cut = 0; cut < 3; cut++) {
      using withheld = test.kvs.faults.delayPersisted({ delayMs: Infinity });
      producer.fragment();
      const [previous = 0] = producer.timecodes.slice(-2);
      await witness.until(() => witness.timecodes.includes(previous));
      test.kvs.faults.cutPutMedia();
      withheld.remove();
    }
    producer.endEpoch();
    await drain(sink);
    assert.deepEqual([...new Set(witness.timecodes)], producer.timecodes);
    const refusals = events
      .filter(({ name }) => name === 'failed')
      .map(({ payload }) => payload as MediaSinkEvents['failed'][0])
      .filter(({ error }) => error.code === ErrorCode.accessDenied);
    assert.equal(refusals.length, 1);
    assert.equal(refusals[0]?.fatal, false);
    assert.match(refusals[0].error.fix ?? '', /kinesisvideo:ListFragments/);
    assert.equal(requests.filter(({ operation }) => operation === 'ListFragments').length, 1);
    denied.remove();
  });
});
