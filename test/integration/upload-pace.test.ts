/** What has waited goes to KVS no faster than a stream takes it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kvsUploadQuota } from '../../lib/putmedia/upload-pace.js';
import type { UploadQuota } from '../../lib/putmedia/upload-pace.js';
import { TestKvs } from '../support/local-kvs.js';
import { localSink, MkvProducer, readFrames, StreamWitness } from '../support/mkv-producer.js';
import { drain } from '../support/sink-driver.js';

/** What became of an outage. */
interface CatchUp {
  /** Connections that the service ended, since there were too many fragments. */
  readonly refusals: readonly string[];
  readonly tookMs: number;
}

/** Twelve fragments in three requests wait for a service that is back, and enforces its quota. */
async function catchUp(quota?: UploadQuota): Promise<CatchUp> {
  await using test = await TestKvs.start();
  await test.createStream('s');
  const { faults } = test.kvs;
  const witness = new StreamWitness(test, 's');
  await using sink = localSink(test, 's', quota === undefined ? {} : { quota });
  const outage = faults.failCalls({ operation: 'PutMedia', status: 503, times: Infinity });
  faults.limitFragments({ perSecond: kvsUploadQuota.fragmentsPerSecond });
  const producer = new MkvProducer(sink);
  for (let epoch = 0; epoch < 3; epoch += 1) producer.epoch(4);
  outage.remove();
  const begunMs = performance.now();
  const { pendingFragments } = await drain(sink);
  const tookMs = performance.now() - begunMs;

  assert.equal(pendingFragments, 0);
  assert.deepEqual(witness.timecodes, producer.timecodes);
  assert.deepEqual(await readFrames(test, witness), producer.frames);
  return { refusals: witness.causes.filter((cause) => cause.startsWith('error')), tookMs };
}

describe('A sink with much to catch up with after an outage', { concurrency: true }, () => {
  it('keeps to the quota over all its requests: nothing is refused, nothing lost', async () => {
    const { refusals, tookMs } = await catchUp(kvsUploadQuota);
    assert.deepEqual(refusals, []);
    assert.ok(tookMs > 2_000, `12 fragments within ${tookMs.toFixed()} ms`);
  });

  it('would be refused for what is beyond the quota, and loses nothing then either', async () => {
    const { refusals } = await catchUp();
    assert.match(refusals[0] ?? '', /^error 5000: .*fragments a second/);
  });
});
