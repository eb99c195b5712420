import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { ScriptedPutMedia } from '../support/scripted-put-media.js';
import type { Script } from '../support/scripted-put-media.js';
import {
  createSink,
  drain,
  nextEvent,
  Producer,
  recordEvents,
  testCredentials,
} from '../support/sink-driver.js';

const errorAt = (atFragment: number, errorId: number): Script => ({
  error: { atFragment, errorId },
});

describe('PutMediaSink and HTTP refusals', () => {
  it('asks for other credentials after a refusal, calls a second one fatal, keeps secrets', async () => {
    const body = JSON.stringify({
      message: `not authorized: ${testCredentials.accessKeyId} x-amz-security-token: ${testCredentials.sessionToken}`,
    });
    const refuse = { status: 403, headers: { 'x-amzn-ErrorType': 'AccessDeniedException' }, body };
    await using server = await ScriptedPutMedia.start({ refuse }, { refuse }, { refuse });
    const refusals: boolean[] = [];
    await using sink = createSink(server.endpoint, {
      credentials: ({ refused }) => {
        refusals.push(refused);
        return Promise.resolve(testCredentials);
      },
    });
    const events = recordEvents(sink);
    const producer = new Producer(sink);
    producer.epoch(2);
    await drain(sink);
    assert.deepEqual(server.timecodes, producer.timecodes);
    assert.deepEqual(refusals, [false, true, true, true]);
    const failures = events
      .filter(({ name }) => name === 'failed')
      .map(({ payload }) => payload as MediaSinkEvents['failed'][0]);
    assert.deepEqual(
      failures.map(({ error, fatal }) => [error.code, fatal]),
      [false, true, true].map((fatal) => [ErrorCode.accessDenied, fatal]),
    );
    assert.match(failures[0]?.error.fix ?? '', /kinesisvideo:PutMedia/);
    const shown = JSON.stringify(events) + failures.map(({ error }) => error.message).join();
    for (const secret of Object.values(testCredentials)) assert.ok(!shown.includes(secret));
  });

  it('tells refusals apart', async () => {
    const cases = [
      [404, 'ResourceNotFoundException', ErrorCode.streamNotFound, true],
      [400, 'ConnectionLimitExceededException', ErrorCode.putMedia, false],
      [400, 'InvalidArgumentException', ErrorCode.putMedia, true],
      [400, 'ClientLimitExceededException', ErrorCode.putMedia, false],
      [401, 'NotAuthorizedException', ErrorCode.accessDenied, false],
      [403, 'ExpiredTokenException', ErrorCode.credentials, false],
      [500, 'InternalFailure', ErrorCode.putMedia, false],
      [503, undefined, ErrorCode.putMedia, false],
    ] as const;
    for (const [status, name, code, fatal] of cases) {
      const headers = name === undefined ? {} : { 'x-amzn-ErrorType': name };
      await using server = await ScriptedPutMedia.start({ refuse: { status, headers } });
      await using sink = createSink(server.endpoint);
      const failed = nextEvent(sink, 'failed');
      new Producer(sink).epoch(1);
      const failure = await failed;
      assert.deepEqual([failure.error.code, failure.fatal], [code, fatal], String(name));
      assert.equal((await drain(sink)).persistedFragments, 1);
    }
  });

  it('outlasts three answers of 500', async () => {
    const refuse = { status: 500, body: '<html>oops</html>' };
    await using server = await ScriptedPutMedia.start({ refuse }, { refuse }, { refuse });
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.epoch(3);
    await drain(sink);
    assert.deepEqual(server.timecodes, producer.timecodes);
    assert.equal(server.exchanges.length, 4);
  });
});

describe('PutMediaSink and ERROR acknowledgements', () => {
  it('sends again from the fragment of a passing error', async () => {
    for (const errorId of [4000, 4003, 5000, 5001, 4999]) {
      await using server = await ScriptedPutMedia.start(errorAt(3, errorId));
      await using sink = createSink(server.endpoint);
      const reported = nextEvent(sink, 'ackError');
      const producer = new Producer(sink);
      producer.epoch(4);
      await drain(sink);
      const { action, timecodeMs } = await reported;
      assert.deepEqual([action, timecodeMs], ['resend', producer.timecodes[2]]);
      assert.deepEqual(server.timecodes, producer.timecodes, String(errorId));
      assert.equal(server.exchanges[1]?.lines[1], `C${String(producer.timecodes[2])}`);
    }
  });

  it('leaves out a fragment that KVS refuses, reports it, and goes on', async () => {
    for (const errorId of [4001, 4002, 4004, 4006, 4009, 4010, 4011, 4012]) {
      await using server = await ScriptedPutMedia.start(errorAt(2, errorId));
      await using sink = createSink(server.endpoint);
      const dropped = nextEvent(sink, 'dropped');
      const producer = new Producer(sink);
      producer.epoch(4);
      const result = await drain(sink);
      const [first, refused = 0, ...rest] = producer.timecodes;
      assert.deepEqual(server.timecodes, [first, ...rest], String(errorId));
      assert.deepEqual(await dropped, {
        fragments: 1,
        videoFrames: 3,
        audioFrames: 1,
        fromTimecodeMs: refused,
        toTimecodeMs: refused + 1_000,
        reason: 'refused',
      });
      assert.deepEqual([result.persistedFragments, result.lostFragments], [3, 1]);
    }
  });

  it('finds the refused fragment when the error does not name it', async () => {
    for (const unnamed of [0, -1]) {
      await using server = await ScriptedPutMedia.start({
        error: { atFragment: 1, errorId: 4006, timecodeMs: unnamed },
      });
      await using sink = createSink(server.endpoint);
      const producer = new Producer(sink);
      producer.epoch(3);
      const result = await drain(sink);
      assert.deepEqual(server.timecodes, producer.timecodes.slice(1));
      assert.equal(result.lostFragments, 1);
    }
  });

  it('leaves out the rest of a live fragment that was refused', async () => {
    await using server = await ScriptedPutMedia.start(errorAt(1, 4002));
    await using sink = createSink(server.endpoint);
    const reported = nextEvent(sink, 'ackError');
    const producer = new Producer(sink);
    producer.beginEpoch();
    const refused = producer.beginFragment();
    assert.equal((await reported).timecodeMs, refused);
    assert.equal(sink.stats().fragmentsLost, 0);
    producer.frame('late');
    const dropped = nextEvent(sink, 'dropped');
    producer.endFragment(7);
    assert.equal((await dropped).videoFrames, 7);
    producer.fragment();
    producer.endEpoch();
    await drain(sink);
    assert.deepEqual(server.timecodes, producer.timecodes.slice(1));
  });

  it('calls an error of the stream fatal, keeps the media and tries slowly', async () => {
    for (const errorId of [4008, 4500, 4507]) {
      await using server = await ScriptedPutMedia.start(errorAt(1, errorId));
      await using sink = createSink(server.endpoint, { retry: { slowDelayMs: 480 } });
      const failed = nextEvent(sink, 'failed');
      const producer = new Producer(sink);
      producer.epoch(2);
      const { error, fatal, retryInMs } = await failed;
      assert.deepEqual([error.code, fatal], [ErrorCode.putMedia, true]);
      assert.match(error.message, new RegExp(String(errorId)));
      assert.notEqual(error.fix, undefined);
      assert.ok((retryInMs ?? 0) >= 20);
      await drain(sink);
      assert.deepEqual(server.timecodes, producer.timecodes);
    }
  });
});

describe('PutMediaSink under pressure', () => {
  it('never blocks on a server that stops reading; the oldest gives way, the rest arrives', async () => {
    let resume = (): void => undefined;
    await using server = await ScriptedPutMedia.start({
      onAccepted: ({ request }) => {
        request.pause();
        resume = () => request.resume();
      },
    });
    await using sink = createSink(server.endpoint, { bufferBytes: 2_000_000 });
    const events = recordEvents(sink);
    const producer = new Producer(sink);
    producer.beginEpoch();
    const open = nextEvent(sink, 'connection', ({ state }) => state === 'open');
    producer.fragment();
    await open;
    // Far beyond what the sockets of the system hold plus the buffer.
    for (let i = 0; i < 200; i++) {
      producer.fragment(10, 10_000);
      assert.ok(sink.stats().bytesPending <= 2_000_000);
    }
    producer.endEpoch();
    assert.ok(sink.stats().fragmentsLost > 0);
    resume();
    const result = await drain(sink);

    const dropped = events
      .filter(({ name }) => name === 'dropped')
      .map(({ payload }) => payload as MediaSinkEvents['dropped'][0]);
    assert.ok(dropped.every(({ reason }) => reason === 'bufferFull'));
    assert.equal(result.persistedFragments + result.lostFragments, 201);
    assert.equal(result.lostFragments, dropped.length);
    const lost = new Set(dropped.map(({ fromTimecodeMs }) => fromTimecodeMs));
    assert.deepEqual(
      server.timecodes,
      producer.timecodes.filter((timecodeMs) => !lost.has(timecodeMs)),
    );
  });

  it('breaks off a fragment on its way that alone fills the buffer, and goes on', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint, { bufferBytes: 50_000 });
    const producer = new Producer(sink);
    producer.beginEpoch();
    const buffering = nextEvent(sink, 'buffering');
    producer.beginFragment();
    await buffering;
    const failed = nextEvent(sink, 'failed');
    producer.frame('huge', 60_000);
    assert.match((await failed).error.message, /filled the buffer/);
    producer.endFragment(1);
    producer.fragment();
    producer.endEpoch();
    const result = await drain(sink);
    assert.deepEqual([result.persistedFragments, result.lostFragments], [1, 1]);
    assert.deepEqual(server.timecodes, producer.timecodes.slice(1));
  });
});
