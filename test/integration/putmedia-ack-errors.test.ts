/** Every class of ERROR acknowledgement: what is stored afterwards, and how often it was tried. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { TestKvs } from '../support/local-kvs.js';
import {
  localSink,
  MkvProducer,
  readFrames,
  settledLookUp,
  StreamWitness,
} from '../support/mkv-producer.js';
import { drain, recordEvents } from '../support/sink-driver.js';

/**
 * All ids of AWS's documents and one that is in none. AWS's producer resends after the first row,
 * skips after most of the second, and ends the stream for good after the rest, where this sink
 * goes on (4010, 4012) or waits for somebody to mend it, with nothing lost.
 */
const actions = {
  resend: [4000, 4003, 5000, 5001, 4999],
  skipFragment: [4001, 4002, 4004, 4006, 4009, 4010, 4011, 4012],
  slowRetry: [4005, 4007, 4008, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507],
} as const;

describe('PutMediaSink and the errors of a KVS', () => {
  for (const [action, errorIds] of Object.entries(actions)) {
    it(`stores all but what is refused, each once: ${action} (${errorIds.join(', ')})`, async () => {
      await using test = await TestKvs.start();
      await Promise.all(
        errorIds.map(async (errorId) => {
          const stream = `s${String(errorId)}`;
          await test.createStream(stream);
          const witness = new StreamWitness(test, stream);
          test.kvs.faults.failAck({ errorId, fragment: 2, streamName: stream });
          await using sink = localSink(test, stream, {
            isPersisted: settledLookUp(test, stream, witness),
          });
          const events = recordEvents(sink);
          const producer = new MkvProducer(sink);
          producer.epoch(4);
          const { lostFragments, persistedFragments } = await drain(sink);
          const payloads = <T>(name: string): T[] =>
            events.filter((event) => event.name === name).map(({ payload }) => payload as T);

          const isSkipped = action === 'skipFragment';
          const refused = producer.timecodes[1];
          const isStored = (timecode: number): boolean => !isSkipped || timecode !== refused;
          assert.deepEqual(witness.timecodes, producer.timecodes.filter(isStored), stream);
          const frames = producer.frames.filter((_, at) => !isSkipped || at < 3 || at >= 6);
          assert.deepEqual(await readFrames(test, witness), frames, stream);
          assert.deepEqual([persistedFragments, lostFragments], isSkipped ? [3, 1] : [4, 0]);

          const [reported, ...others] = payloads<MediaSinkEvents['ackError'][0]>('ackError');
          assert.deepEqual(others, []);
          assert.deepEqual(
            [reported?.errorId, reported?.action, reported?.timecodeMs],
            [errorId, action, refused],
          );
          assert.equal(reported?.errorName === 'UNKNOWN_ACK_ERROR', errorId === 4999);
          const dropped = payloads<MediaSinkEvents['dropped'][0]>('dropped');
          assert.deepEqual(
            dropped.map(({ fromTimecodeMs, reason }) => [fromTimecodeMs, reason]),
            isSkipped ? [[refused, 'refused']] : [],
          );
          const fatal = payloads<MediaSinkEvents['failed'][0]>('failed').filter(
            (failure) => failure.fatal,
          );
          assert.equal(fatal.length, action === 'slowRetry' ? 1 : 0);
          for (const { error } of fatal) {
            assert.ok(error.message.includes(String(errorId)));
            assert.ok(error.fix !== undefined);
          }
        }),
      );
    });
  }

  it('waits longer and longer while nothing gets through, whatever the error', async () => {
    await using test = await TestKvs.start();
    const failures = 7;
    await Promise.all(
      [5000, 4006, 4008, 4999].map(async (errorId) => {
        const stream = `s${String(errorId)}`;
        await test.createStream(stream);
        const witness = new StreamWitness(test, stream);
        for (let i = 0; i < failures; i++) {
          test.kvs.faults.failAck({ errorId, streamName: stream });
        }
        // Without chance the delays are known: 20, 40, 80, 160, 160, …; up to 240 when somebody must act.
        await using sink = localSink(test, stream, {
          retry: { minDelayMs: 20, maxDelayMs: 160, slowDelayMs: 240, random: () => 1 },
        });
        new MkvProducer(sink).epoch(failures + 1);
        await drain(sink);
        assert.equal(witness.openedAtMs.length, failures + 1, stream);
        const waits = witness.openedAtMs
          .slice(1)
          .map((at, index) => at - (witness.openedAtMs[index] ?? 0));
        for (const [index, waitedMs] of waits.entries()) {
          const delayMs = Math.min(errorId === 4008 ? 240 : 160, 20 * 2 ** index);
          // A timer may fire up to a millisecond early.
          assert.ok(waitedMs >= delayMs - 1, `${stream}: ${String(waitedMs)} ms`);
        }
      }),
    );
  });
});
