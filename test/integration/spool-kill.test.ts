/** Whenever the media process is killed: what was on disk is in the archive once after the next start. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SpoolingProducerMessage } from '../fixtures/spooling-producer.js';
import { TestKvs } from '../support/local-kvs.js';
import { readFrames, StreamWitness } from '../support/mkv-producer.js';
import { seededRandom } from '../support/mkv.js';
import { SpoolPlace } from '../support/spool.js';

const fixture = fileURLToPath(new URL('../fixtures/spooling-producer.js', import.meta.url));

/** More of them by hand: KVSB_TEST_KILLS=200, another run with KVSB_TEST_SEED. */
const kills = Number(process.env['KVSB_TEST_KILLS'] ?? 6);
const seed = Number(process.env['KVSB_TEST_SEED'] ?? 1);

/** What the killed processes had on disk, and how the last one ended. */
async function killRepeatedly(test: TestKvs, place: SpoolPlace): Promise<readonly number[]> {
  const next = seededRandom(seed);
  const complete: number[] = [];
  for (let run = 0; run <= kills; run++) {
    const isLast = run === kills;
    const startMs = 1_700_000_000_000 + run * 10_000_000;
    const child = fork(
      fixture,
      [test.kvs.url, 's', place.folder, String(startMs), isLast ? '3' : '0'],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const exited = once(child, 'exit');
    let end: SpoolingProducerMessage | undefined;
    let onFirst: (value: undefined) => void = () => undefined;
    const first = new Promise<undefined>((resolve) => {
      onFirst = resolve;
    });
    child.on('message', (message: SpoolingProducerMessage) => {
      if (message.type === 'end') end = message;
      else complete.push(message.timecodeMs);
      onFirst(undefined);
    });
    if (!isLast) {
      // Every third one at any moment of its start, the others in full flight.
      if (run % 3 > 0) await Promise.race([first, exited]);
      await delay(next() * 300);
      child.kill('SIGKILL');
    }
    await exited;
    if (isLast) assert.deepEqual(end, { type: 'end', lost: 0, pending: 0 });
  }
  return complete;
}

/** Runs a producer to its end. */
async function produce(
  test: TestKvs,
  place: SpoolPlace,
  startMs: number,
  fragments: number,
): Promise<readonly number[]> {
  const args = [test.kvs.url, 's', place.folder, String(startMs), String(fragments)];
  const child = fork(fixture, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const complete: number[] = [];
  child.on('message', (message: SpoolingProducerMessage) => {
    if (message.type === 'complete') complete.push(message.timecodeMs);
  });
  await once(child, 'exit');
  return complete;
}

describe('The spool', () => {
  it('lets two processes take turns', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const [a, b] = await Promise.all([
      produce(test, place, 1_700_000_000_000, 10),
      produce(test, place, 1_700_010_000_000, 10),
    ]);
    assert.deepEqual([a.length, b.length], [10, 10]);
    // Whoever was first.
    const isFirst = witness.timecodes[0] === a[0];
    assert.deepEqual(witness.timecodes, isFirst ? [...a, ...b] : [...b, ...a]);
  });

  it(`stores once what ${String(kills)} killed processes had on disk`, async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    await using place = await SpoolPlace.create();
    const witness = new StreamWitness(test, 's');
    const complete = await killRepeatedly(test, place);

    const stored = [...witness.timecodes].sort((a, b) => a - b);
    assert.deepEqual(stored, [...new Set(stored)], 'something is stored twice');
    const lost = complete.filter((timecodeMs) => !stored.includes(timecodeMs));
    assert.deepEqual(lost, [], 'something that was on disk is not stored');
    assert.ok(complete.length > kills, `only ${String(complete.length)} fragments were made`);
    assert.deepEqual(await place.files(), []);
    // A fragment cut off by a kill holds the frames up to there.
    const frames = await readFrames(test, witness);
    assert.ok(frames.length > 10 * complete.length - 1);
  });
});
