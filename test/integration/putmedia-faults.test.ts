import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { deferred } from '../../lib/util/deferred.js';
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

/** Resets the connection when the n-th line with this prefix arrives, before it is handled. */
function resetAt(prefix: string, count: number): Script {
  let seen = 0;
  return {
    onLine: (line, exchange) => {
      if (line.startsWith(prefix)) seen += 1;
      if (seen < count) return false;
      exchange.reset();
      return true;
    },
  };
}

describe('PutMediaSink with a KVS that breaks', () => {
  it('resumes after a reset within a fragment', async () => {
    await using server = await ScriptedPutMedia.start(resetAt('F', 5), resetAt('C', 1));
    await using sink = createSink(server.endpoint);
    const events = recordEvents(sink);
    const producer = new Producer(sink);
    producer.epoch(4);
    await drain(sink);
    assert.deepEqual([...new Set(server.timecodes)], producer.timecodes);
    assert.ok(server.archive.every(({ frames }) => frames.length === 3));
    const failures = events.filter(({ name }) => name === 'failed');
    assert.equal(failures.length, 2);
    for (const { payload } of failures) {
      const { error, fatal } = payload as MediaSinkEvents['failed'][0];
      assert.deepEqual([error.code, fatal], [ErrorCode.putMedia, false]);
      assert.match(error.message, /ECONNRESET|EPIPE/);
    }
  });

  for (const [name, asksFirst] of [
    ['exactly once when it may ask', true],
    ['at least once when it may not', false],
  ] as const) {
    it(`stores ${name} after a reset that swallowed acknowledgements`, async () => {
      const reset = resetAt('C', 3);
      await using server = await ScriptedPutMedia.start({ ...reset, mute: true });
      const asked: (readonly number[])[] = [];
      await using sink = createSink(
        server.endpoint,
        asksFirst
          ? {
              settleMs: 0,
              isPersisted: (timecodesMs) => {
                asked.push(timecodesMs);
                return Promise.resolve(new Map(server.timecodes.map((at) => [at, '1'])));
              },
            }
          : {},
      );
      const events = recordEvents(sink);
      const producer = new Producer(sink);
      producer.epoch(4);
      const result = await drain(sink);
      const [first] = producer.timecodes;
      assert.deepEqual(
        server.timecodes,
        asksFirst ? producer.timecodes : [first, ...producer.timecodes],
      );
      assert.equal(asked.length, asksFirst ? 1 : 0);
      assert.equal(result.persistedFragments, 4);
      assert.equal(events.filter((event) => event.name === 'persisted').length, 4);
    });
  }

  it('sends again, and says why, when the question fails or hangs', async () => {
    for (const isPersisted of [
      () => Promise.reject(new Error('AccessDenied')),
      () => new Promise<never>(() => undefined),
    ]) {
      await using server = await ScriptedPutMedia.start({ ...resetAt('C', 2), mute: true });
      await using sink = createSink(server.endpoint, {
        isPersisted,
        isPersistedTimeoutMs: 20,
        settleMs: 0,
      });
      const events = recordEvents(sink);
      const producer = new Producer(sink);
      producer.epoch(2);
      assert.equal((await drain(sink)).persistedFragments, 2);
      const messages = events
        .filter(({ name }) => name === 'failed')
        .map(({ payload }) => (payload as MediaSinkEvents['failed'][0]).error.message);
      assert.ok(messages.some((message) => message.startsWith('Cannot find out what KVS has')));
    }
  });

  it('reads on through garbage between acknowledgements', async () => {
    await using server = await ScriptedPutMedia.start({
      onLine: (line, { response }) => {
        response.write('\u0000{"EventType":"NOVEL"}{broken}\n"{"EventType\n');
        if (line.startsWith('C')) {
          // Nobody sent such fragments.
          response.write('{"EventType":"PERSISTED","FragmentTimecode":1}');
        }
        return false;
      },
    });
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.epoch(3);
    const result = await drain(sink);
    assert.equal(result.persistedFragments, 3);
    assert.equal(server.exchanges.length, 1);
  });

  it('does not take a fragment for persisted before all of it was sent', async () => {
    await using server = await ScriptedPutMedia.start({
      onLine: (line, exchange) => {
        const timecode = Number(line.slice(1));
        if (line.startsWith('C')) exchange.sendAck('PERSISTED', { FragmentTimecode: timecode });
        return false;
      },
    });
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.beginEpoch();
    const buffering = nextEvent(sink, 'buffering');
    producer.beginFragment();
    await buffering;
    assert.equal(sink.stats().fragmentsPersisted, 0);
    producer.frame('late');
    producer.endFragment(1);
    producer.endEpoch();
    assert.equal((await drain(sink)).persistedFragments, 1);
    assert.deepEqual(server.archive[0]?.frames, ['Flate']);
  });

  it('gives up waiting for an answer that never starts', async () => {
    await using server = await ScriptedPutMedia.start({ neverAnswer: true });
    await using sink = createSink(server.endpoint, {
      continueTimeoutMs: 10,
      responseTimeoutMs: 20,
    });
    const failed = nextEvent(sink, 'failed');
    const producer = new Producer(sink);
    producer.epoch(2);
    assert.match((await failed).error.message, /did not answer PutMedia within 20 ms/);
    await drain(sink);
    // On a busy machine the short deadline may strike again, so duplicates may be.
    assert.deepEqual([...new Set(server.timecodes)], producer.timecodes);
  });

  it('sends without "100 Continue" when nobody says it', async () => {
    const received = deferred<string>();
    const server = net.createServer((socket) => {
      let text = '';
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        if (text.includes('\r\n0\r\n\r\n')) received.resolve(text);
      });
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    {
      await using sink = createSink(`http://127.0.0.1:${String(port)}`, { continueTimeoutMs: 10 });
      new Producer(sink).epoch(1);
      assert.match(await received.promise, /H1[^]*C17[^]*T/);
    }
    server.close();
    await once(server, 'close');
  });

  it('notices a connection that swallows everything', async () => {
    await using server = await ScriptedPutMedia.start({ mute: true, neverPersist: true });
    await using sink = createSink(server.endpoint, { stallTimeoutMs: 30 });
    const failed = nextEvent(sink, 'failed');
    const producer = new Producer(sink);
    producer.beginEpoch();
    producer.fragment();
    producer.fragment();
    assert.match((await failed).error.message, /did not acknowledge media for 30 ms/);
    producer.endEpoch();
    await drain(sink);
    // On a busy machine the short deadline may strike again, so duplicates may be.
    assert.deepEqual([...new Set(server.timecodes)], producer.timecodes);
  });

  it('reports an unreachable endpoint and credentials that do not come', async () => {
    const closedPort = net.createServer().listen(0, '127.0.0.1');
    await once(closedPort, 'listening');
    const { port } = closedPort.address() as AddressInfo;
    closedPort.close();
    await once(closedPort, 'close');
    {
      await using sink = createSink(`http://127.0.0.1:${String(port)}`);
      const failed = nextEvent(sink, 'failed');
      new Producer(sink).epoch(1);
      const { error, fatal } = await failed;
      assert.match(error.message, /ECONNREFUSED/);
      assert.equal(fatal, false);
    }
    await using server = await ScriptedPutMedia.start();
    let calls = 0;
    await using sink = createSink(server.endpoint, {
      connectTimeoutMs: 20,
      credentials: () => {
        calls += 1;
        return calls === 1 ? new Promise(() => undefined) : Promise.resolve(testCredentials);
      },
    });
    const failed = nextEvent(sink, 'failed');
    new Producer(sink).epoch(1);
    assert.match((await failed).error.message, /^No AWS credentials within 20 ms/);
    assert.equal((await drain(sink)).persistedFragments, 1);
  });

  it('does not hammer a KVS that accepts and ends at once', async () => {
    const script: Script = {
      onAccepted: ({ response }) => {
        response.end();
      },
    };
    await using server = await ScriptedPutMedia.start(script, script, script, script);
    // Never below half the first delay, whatever happens: here 50 ms.
    await using sink = createSink(server.endpoint, { retry: { minDelayMs: 100, maxDelayMs: 100 } });
    const openings: number[] = [];
    sink.on('connection', ({ state }) => {
      if (state === 'opening') openings.push(performance.now());
    });
    new Producer(sink).epoch(1);
    assert.equal((await drain(sink)).persistedFragments, 1);
    assert.equal(openings.length, 5);
    for (const [index, openedAtMs] of openings.entries()) {
      // A timer may fire up to a millisecond early.
      if (index > 0) assert.ok(openedAtMs - (openings[index - 1] ?? 0) >= 49);
    }
  });

  it('gives up a fragment that KVS receives again and again without persisting it', async () => {
    const script: Script = { neverPersist: true };
    await using server = await ScriptedPutMedia.start(script, script, script);
    await using sink = createSink(server.endpoint);
    const dropped = nextEvent(sink, 'dropped');
    const producer = new Producer(sink);
    producer.epoch(1);
    assert.equal((await dropped).reason, 'neverPersisted');
    assert.deepEqual([server.exchanges.length, sink.stats().fragmentsLost], [3, 1]);
  });
});
