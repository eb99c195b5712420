/** What came in is stored, lost or pending, at every moment and whatever happens. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { describe, it } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import type { PutMediaSink } from '../../lib/putmedia/put-media-sink.js';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { TestKvs } from '../support/local-kvs.js';
import { localSink, MkvProducer, StreamWitness } from '../support/mkv-producer.js';
import { seededRandom } from '../support/mkv.js';
import { ScriptedPutMedia } from '../support/scripted-put-media.js';
import type { Script } from '../support/scripted-put-media.js';
import { createSink, drain, Producer, recordEvents } from '../support/sink-driver.js';

function assertAddsUp(sink: PutMediaSink, about: string): void {
  const stats = sink.stats();
  assert.equal(
    stats.videoFramesIn,
    stats.videoFramesStored + stats.videoFramesLost + stats.videoFramesPending,
    about,
  );
  assert.equal(
    stats.audioFramesIn,
    stats.audioFramesStored + stats.audioFramesLost + stats.audioFramesPending,
    about,
  );
}

/** One way for a request to go wrong, by chance. */
function randomScript(random: () => number): Script {
  const at = 1 + Math.floor(random() * 6);
  const kind = Math.floor(random() * 8);
  if (kind === 0) return { refuse: { status: 500 } };
  if (kind === 1) return { neverPersist: true };
  if (kind === 2) return { error: { atFragment: at, errorId: 5000 } };
  if (kind === 3) return { error: { atFragment: at, errorId: 4006 } };
  if (kind > 5) return {};
  let lines = 0;
  const mute = kind === 5;
  return {
    mute,
    onLine: (_line, exchange) => {
      lines += 1;
      if (lines < 4 * at) return false;
      exchange.reset();
      return true;
    },
  };
}

describe('totals of a PutMediaSink', () => {
  it('add up at every event of 40 runs with chance faults, buffers and drains', async () => {
    let lost = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const scripts = Array.from({ length: 6 }, () => randomScript(random));
      await using server = await ScriptedPutMedia.start(...scripts);
      const asks = random() < 0.5;
      const sink = createSink(server.endpoint, {
        bufferBytes: random() < 0.5 ? 600 : 1_000_000,
        retry: { minDelayMs: 2, maxDelayMs: 4, slowDelayMs: 4 },
        settleMs: 0,
        stallTimeoutMs: 100,
        ...(asks
          ? {
              isPersisted: () =>
                Promise.resolve(new Map(server.timecodes.map((at) => [at, '1'] as const))),
            }
          : {}),
      });
      const about = `seed ${String(seed)}`;
      for (const name of ['buffering', 'persisted', 'ackError', 'dropped', 'failed'] as const) {
        sink.on(name, () => {
          assertAddsUp(sink, about);
        });
      }
      const stalls: string[] = [];
      sink.on('failed', ({ error }) => {
        if (error.message.includes('did not acknowledge')) stalls.push(error.message);
      });
      const producer = new Producer(sink);
      let frames = 0;
      for (let epoch = 0; epoch < 3; epoch++) {
        producer.beginEpoch();
        for (let fragment = 0; fragment < 5; fragment++) {
          const count = 1 + Math.floor(random() * 5);
          producer.fragment(count, Math.floor(random() * 40));
          frames += count;
          assertAddsUp(sink, about);
          if (random() < 0.5) await turn();
        }
        producer.endEpoch();
      }
      await sink.drain({ timeoutMs: random() < 0.3 ? 5 : 10_000 });
      assertAddsUp(sink, about);
      await sink.close();
      const { videoFramesIn, videoFramesStored, videoFramesLost, videoFramesPending } =
        sink.stats();
      assert.equal(videoFramesIn, frames, about);
      assert.equal(videoFramesStored + videoFramesLost, frames, about);
      assert.equal(videoFramesPending, 0, about);
      lost += videoFramesLost;
      // A server given up for its silence may still be reading when it is asked.
      if (asks && stalls.length === 0) {
        assert.equal(new Set(server.timecodes).size, server.timecodes.length, about);
      }
    }
    assert.ok(lost > 0, 'chance never lost anything');
  });

  it('hold, and memory too, while a server reads nothing: whole fragments go, oldest first', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const held = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const bufferBytes = 8_000_000;
    await using test = await TestKvs.start();
    await test.createStream('s');
    const witness = new StreamWitness(test, 's');
    await using sink = localSink(test, 's', { bufferBytes, stallTimeoutMs: 60_000 });
    const events = recordEvents(sink);
    const producer = new MkvProducer(sink);
    producer.beginEpoch();
    producer.fragment();
    await witness.until(() => witness.open === 1);
    const before = held();
    const stall = test.kvs.faults.stallPutMedia();
    for (let i = 0; i < 160; i++) {
      producer.fragment(10, 100_000);
      assert.ok(sink.stats().bytesPending <= bufferBytes);
      assertAddsUp(sink, 'stalled');
      await turn();
    }
    // 160 MB went in. Beyond the buffer there is one chunk in each socket.
    const maxBytes = before + bufferBytes + 4_000_000;
    // V8 frees the memory of buffers a while after it has found them unused.
    for (let tries = 0; held() > maxBytes && tries < 100; tries++) await sleep(20);
    assert.ok(held() <= maxBytes, `${String(held())} bytes, ${String(before)} before`);
    stall.remove();
    producer.endEpoch();
    const { lostFragments, persistedFragments } = await drain(sink);
    assertAddsUp(sink, 'drained');
    assert.equal(lostFragments + persistedFragments, producer.timecodes.length);
    const dropped = events
      .filter(({ name }) => name === 'dropped')
      .map(({ payload }) => payload as MediaSinkEvents['dropped'][0]);
    assert.equal(dropped.length, lostFragments);
    assert.ok(
      dropped.every(({ reason, videoFrames }) => reason === 'bufferFull' && videoFrames === 10),
    );
    // One hole, from the oldest that was not on its way, with everything newer kept.
    const first = producer.timecodes.indexOf(dropped[0]?.fromTimecodeMs ?? 0);
    assert.deepEqual(
      dropped.map(({ fromTimecodeMs }) => fromTimecodeMs),
      producer.timecodes.slice(first, first + dropped.length),
    );
    assert.deepEqual(witness.timecodes, [
      ...producer.timecodes.slice(0, first),
      ...producer.timecodes.slice(first + dropped.length),
    ]);
  });
});
