import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { deferred } from '../../lib/util/deferred.js';
import { makeSelfSigned } from '../../lib/util/x509/self-signed.js';
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

describe('PutMediaSink with a KVS that behaves', () => {
  it('sends one request per epoch, one after the other, and persists everything once', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint);
    const events = recordEvents(sink);
    const producer = new Producer(sink);
    for (const fragments of [3, 1, 2]) producer.epoch(fragments);
    const result = await drain(sink);

    assert.deepEqual(server.timecodes, producer.timecodes);
    assert.equal(server.exchanges.length, 3);
    assert.equal(server.maxConcurrent, 1);
    assert.deepEqual(
      server.exchanges.map(({ lines }) => [lines[0], lines.at(-1)]),
      [1, 2, 3].map((epoch) => [`H${String(epoch)}`, 'T']),
    );
    assert.deepEqual(result, {
      persistedFragments: 6,
      lostFragments: 0,
      pendingFragments: 0,
      lastPersistedTimecodeMs: producer.timecodes.at(-1),
    });
    const persisted = events.filter(({ name }) => name === 'persisted');
    assert.equal(persisted.length, 6);
    const first = persisted[0]?.payload as MediaSinkEvents['persisted'][0];
    assert.match(first.fragmentNumber ?? '', /^\d{47}$/);
    assert.ok(first.persistLatencyMs >= 0);
    assert.deepEqual(
      [first.epoch, first.timecodeMs, first.durationMs, first.videoFrames, first.audioFrames],
      [1, producer.timecodes[0], 1_000, 3, 1],
    );
    const wire = [`C${String(first.timecodeMs)}`, ...(server.archive[0]?.frames ?? []), ''];
    assert.equal(first.bytes, wire.join('\n').length);
    const { videoFramesIn, videoFramesStored, bytesPending } = sink.stats();
    assert.deepEqual([videoFramesIn, videoFramesStored, bytesPending], [18, 18, 0]);
  });

  it('sends the headers that PutMedia asks for, signed', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint, { userAgent: 'kvs-bridge/1.2.3' });
    new Producer(sink).epoch(1);
    await drain(sink);
    const headers = server.exchanges[0]?.request.headers ?? {};
    assert.equal(server.exchanges[0]?.request.url, '/putMedia');
    assert.equal(headers['x-amzn-stream-name'], 'cam-1');
    assert.equal(headers['x-amzn-fragment-timecode-type'], 'ABSOLUTE');
    assert.equal(headers['x-amzn-fragment-acknowledgment-required'], '1');
    assert.match(String(headers['x-amzn-producer-start-timestamp']), /^\d{10}\.\d{3}$/);
    assert.equal(headers['transfer-encoding'], 'chunked');
    assert.equal(headers['content-length'], undefined);
    assert.equal(headers['user-agent'], 'kvs-bridge/1.2.3');
    assert.match(String(headers.authorization), /SignedHeaders=[^,]*x-amzn-stream-name/);
    assert.equal(headers['x-amz-security-token'], testCredentials.sessionToken);
  });

  it('names the stream by its ARN when there is one', async () => {
    await using server = await ScriptedPutMedia.start();
    const streamArn = 'arn:aws:kinesisvideo:eu-central-1:123456789012:stream/cam-1/1';
    await using sink = createSink(server.endpoint, { streamArn });
    new Producer(sink).epoch(1);
    await drain(sink);
    const headers = server.exchanges[0]?.request.headers ?? {};
    assert.equal(headers['x-amzn-stream-arn'], streamArn);
    assert.equal(headers['x-amzn-stream-name'], undefined);
  });

  it('speaks TLS, with an authority of its own, and says what to do about a foreign one', async () => {
    const { certPem, keyPem } = makeSelfSigned('kvs', ['127.0.0.1']);
    await using server = await ScriptedPutMedia.startTls({ key: keyPem, cert: certPem });
    await using trusting = createSink(server.endpoint, { ca: certPem });
    new Producer(trusting).epoch(2);
    assert.equal((await drain(trusting)).persistedFragments, 2);

    await using sink = createSink(server.endpoint);
    const failed = nextEvent(sink, 'failed');
    new Producer(sink).epoch(1);
    const { error, fatal } = await failed;
    assert.match(error.message, /SELF_SIGNED/);
    assert.match(error.fix ?? '', /NODE_EXTRA_CA_CERTS/);
    assert.equal(fatal, true);
  });

  it('sends frames as they are written, not fragment by fragment', async () => {
    const arrived = deferred<string>();
    await using server = await ScriptedPutMedia.start({
      onLine: (line) => {
        if (line.startsWith('F')) arrived.resolve(line);
        return false;
      },
    });
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.beginEpoch();
    producer.beginFragment();
    producer.frame('first');
    assert.equal(await arrived.promise, 'Ffirst');
    producer.endFragment(1);
    producer.endEpoch();
    assert.equal((await drain(sink)).persistedFragments, 1);
  });

  it('rotates an old request between two fragments, under the same header', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint, { maxAgeMs: 0 });
    const producer = new Producer(sink);
    producer.epoch(4);
    await drain(sink);
    assert.deepEqual(server.timecodes, producer.timecodes);
    assert.equal(server.exchanges.length, 4);
    assert.equal(server.maxConcurrent, 1);
    assert.ok(server.archive.every(({ header }) => header === 'H1'));
  });

  it('ends the request when the source pauses, so that the last fragment is persisted', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint, { idleTimeoutMs: 20 });
    const producer = new Producer(sink);
    producer.beginEpoch();
    const closed = nextEvent(sink, 'connection', ({ state }) => state === 'closed');
    producer.fragment();
    assert.equal((await closed).reason, 'the source paused');
    assert.deepEqual(server.timecodes, producer.timecodes);
    producer.fragment();
    producer.endEpoch();
    await drain(sink);
    assert.deepEqual(server.timecodes, producer.timecodes);
    assert.equal(server.exchanges.length, 2);
  });

  it('does not wait for ever when KVS confirmed all but does not end its answer', async () => {
    await using server = await ScriptedPutMedia.start({ endsAnswer: false });
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.epoch(1);
    producer.epoch(1);
    assert.equal((await drain(sink)).persistedFragments, 2);
    assert.deepEqual(server.timecodes, producer.timecodes);
  });

  it('releases fragments at RECEIVED when the stream keeps nothing', async () => {
    await using server = await ScriptedPutMedia.start({ neverPersist: true });
    await using sink = createSink(server.endpoint, { expectPersisted: false });
    const events = recordEvents(sink);
    new Producer(sink).epoch(3);
    const result = await drain(sink);
    assert.deepEqual([result.persistedFragments, result.pendingFragments], [0, 0]);
    assert.equal(events.filter(({ name }) => name === 'received').length, 3);
    assert.equal(server.exchanges.length, 1);
  });
});

describe('PutMediaSink at its end', () => {
  it('tells at the deadline what is still pending', async () => {
    await using server = await ScriptedPutMedia.start({
      mute: true,
      neverPersist: true,
      endsAnswer: false,
    });
    await using sink = createSink(server.endpoint);
    new Producer(sink).epoch(2);
    const { pendingFragments } = await sink.drain({ timeoutMs: 30 });
    assert.equal(pendingFragments, 2);
  });

  it('does not wait for an attempt that would come after the deadline', async () => {
    await using server = await ScriptedPutMedia.start({ refuse: { status: 404 } });
    await using sink = createSink(server.endpoint, { retry: { slowDelayMs: 6_000_000 } });
    new Producer(sink).epoch(1);
    const { pendingFragments } = await sink.drain({ timeoutMs: 100_000 });
    assert.equal(pendingFragments, 1);
  });

  it('rejects an aborted drain with its reason, and goes on', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.epoch(1);
    const abort = new AbortController();
    const drained = sink.drain({ timeoutMs: 10_000, signal: abort.signal });
    const reason = new Error('second signal');
    abort.abort(reason);
    await assert.rejects(drained, reason);
    assert.equal((await drain(sink)).persistedFragments, 1);
  });

  it('ends what the producer left open', async () => {
    await using server = await ScriptedPutMedia.start();
    await using sink = createSink(server.endpoint);
    const producer = new Producer(sink);
    producer.beginEpoch();
    const timecodeMs = producer.beginFragment();
    producer.frame('last');
    assert.equal((await drain(sink)).persistedFragments, 1);
    assert.deepEqual(server.archive, [{ header: 'H1', timecodeMs, frames: ['Flast'] }]);
  });

  it('reports what is lost by closing, closes twice, and ignores a producer that goes on', async () => {
    await using server = await ScriptedPutMedia.start({
      mute: true,
      neverPersist: true,
      endsAnswer: false,
    });
    const sink = createSink(server.endpoint);
    const events = recordEvents(sink);
    const producer = new Producer(sink);
    producer.epoch(2);
    const drained = drain(sink);
    await Promise.all([sink.close(), sink.close()]);
    assert.equal((await drained).lostFragments, 2);
    producer.epoch(1);
    await sink.close();
    assert.equal(sink.stats().fragmentsPending, 0);
    const reasons = events
      .filter(({ name }) => name === 'dropped')
      .map(({ payload }) => (payload as MediaSinkEvents['dropped'][0]).reason);
    assert.deepEqual(reasons, ['closed', 'closed']);
  });

  it('leaves nothing behind that keeps the process alive', async () => {
    await using server = await ScriptedPutMedia.start(resetAt('C', 1));
    const sink = createSink(server.endpoint, {
      retry: { minDelayMs: 100_000, maxDelayMs: 100_000 },
    });
    const failed = nextEvent(sink, 'failed');
    new Producer(sink).epoch(1);
    await failed;
    await sink.close();
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    assert.deepEqual(timers, []);
  });

  it('refuses options that cannot work', () => {
    for (const endpoint of ['', 'kvs.example', 'ftp://kvs.example']) {
      assert.throws(() => createSink(endpoint), { code: ErrorCode.options });
    }
    assert.throws(() => createSink('http://127.0.0.1:1', { bufferBytes: 0 }), {
      code: ErrorCode.options,
    });
  });
});
