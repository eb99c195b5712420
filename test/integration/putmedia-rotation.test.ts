/** Connections that end before KVS ends them: one at a time, with not a frame between them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PutMediaSinkOptions } from '../../lib/putmedia/put-media-options.js';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { TestKvs } from '../support/local-kvs.js';
import { localSink, MkvProducer, readFrames, StreamWitness } from '../support/mkv-producer.js';
import { drain, recordEvents } from '../support/sink-driver.js';

const rotations = 6;

/** Feeds a sink live, a frame every few ms, until its connection was replaced often enough. */
async function feedThrough(
  context: TestContext,
  test: TestKvs,
  options: Partial<PutMediaSinkOptions>,
): Promise<void> {
  await test.createStream('s');
  const witness = new StreamWitness(test, 's');
  await using sink = localSink(test, 's', options);
  const events = recordEvents(sink);
  const producer = new MkvProducer(sink, 100);
  producer.beginEpoch();
  while (witness.openedAtMs.length <= rotations) {
    producer.beginFragment();
    for (let frame = 0; frame < 10; frame++) {
      producer.frame();
      await sleep(2);
    }
    producer.endFragment();
    assert.ok(producer.timecodes.length < 2_000, 'nothing rotates');
  }
  producer.endEpoch();
  await drain(sink);

  assert.deepEqual(witness.timecodes, producer.timecodes);
  assert.deepEqual(await readFrames(test, witness), producer.frames);
  assert.equal(witness.maxOpen, 1);
  assert.ok(witness.causes.every((cause) => cause === 'complete'));
  const unwanted = events.filter(({ name }) => ['ackError', 'dropped', 'failed'].includes(name));
  assert.deepEqual(unwanted, []);
  const latenciesMs = events
    .filter(({ name }) => name === 'persisted')
    .map(({ payload }) => (payload as MediaSinkEvents['persisted'][0]).persistLatencyMs)
    .sort((a, b) => a - b);
  const at = (share: number): string =>
    (latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? NaN).toFixed(0);
  context.diagnostic(
    `${String(producer.frames.length)} frames over ${String(witness.openedAtMs.length)} ` +
      `connections; persisted after ${at(0.5)} ms (median), ${at(1)} ms (worst)`,
  );
}

describe('PutMediaSink and the age of its connection', () => {
  it('hands over without a gap or an overlap before the connection gets too old', async (context) => {
    await using test = await TestKvs.start();
    await feedThrough(context, test, { maxAgeMs: 80 });
  });

  it('hands over to the next keys before those in use run out', async (context) => {
    const keys = Array.from({ length: 50 }, (_, index) => ({
      accessKeyId: `key-${String(index)}`,
      secretAccessKey: `secret-${String(index)}`,
      sessionToken: `token-${String(index)}`,
    }));
    await using test = await TestKvs.start({
      credentials: [{ accessKeyId: 'local', secretAccessKey: 'local-secret-access-key' }, ...keys],
    });
    let handedOut = 0;
    await feedThrough(context, test, {
      expiryMarginMs: 40,
      credentials: ({ refused }) => {
        assert.equal(refused, false);
        const next = keys[handedOut];
        assert.ok(next);
        handedOut += 1;
        return Promise.resolve({ ...next, expiration: new Date(Date.now() + 120) });
      },
    });
    assert.ok(handedOut > rotations);
  });
});
