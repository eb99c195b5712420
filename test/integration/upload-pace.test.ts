/** What has waited goes to KVS no faster than a stream takes it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kvsUploadQuota } from '../../lib/putmedia/upload-pace.js';
import { TestKvs } from '../support/local-kvs.js';
import { localSink, MkvProducer, StreamWitness } from '../support/mkv-producer.js';
import { drain } from '../support/sink-driver.js';

describe('A sink with much to catch up with', () => {
  it('keeps to the quota, over all its requests', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    const witness = new StreamWitness(test, 's');
    await using sink = localSink(test, 's', { quota: kvsUploadQuota });
    const begunMs = performance.now();
    const producer = new MkvProducer(sink);
    // An epoch is a request: three of them hold what goes out in three seconds.
    for (let epoch = 0; epoch < 3; epoch += 1) producer.epoch(4);
    const { pendingFragments } = await drain(sink);
    const tookMs = performance.now() - begunMs;
    assert.equal(pendingFragments, 0);
    assert.deepEqual(witness.timecodes, producer.timecodes);
    assert.ok(tookMs > 2_000, `12 fragments within ${tookMs.toFixed()} ms`);
  });
});
