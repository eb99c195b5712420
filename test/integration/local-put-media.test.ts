import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KinesisVideoArchivedMedia } from '@aws-sdk/client-kinesis-video-archived-media';
import type { IngestLimits } from '../../lib/local/index.js';
import { TestKvs } from '../support/local-kvs.js';
import {
  audioTrack,
  cluster,
  endOfFragment,
  mkvHeader,
  second,
  tags,
  videoTrack,
} from '../support/mkv.js';
import { Upload } from '../support/put-media.js';
import type { UploadOptions, WireAck } from '../support/put-media.js';

async function start(ingest: Partial<IngestLimits> = {}): Promise<TestKvs> {
  const test = await TestKvs.start({ limits: { ingest } });
  await test.createStream('s');
  return test;
}

async function open(test: TestKvs, more: Partial<UploadOptions> = {}): Promise<Upload> {
  return Upload.open({ url: test.kvs.url, streamName: 's', ...more });
}

async function storedTimes(test: TestKvs): Promise<(number | undefined)[]> {
  const client = new KinesisVideoArchivedMedia(test.client);
  const { Fragments = [] } = await client.listFragments({ StreamName: 's' });
  client.destroy();
  return Fragments.map(({ ProducerTimestamp }) => ProducerTimestamp?.getTime());
}

const typesOf = (acks: readonly WireAck[]): string[] => acks.map(({ EventType }) => EventType);
const errorOf = (acks: readonly WireAck[]): number | undefined => acks.at(-1)?.ErrorId;

describe('PutMedia', () => {
  it('acknowledges while the upload runs: begun, received, on disk', async () => {
    await using test = await start();
    const upload = await open(test);
    assert.equal(upload.status, 200, 'the answer begins before the upload does');
    const opened = test.event('fragment');
    upload.send(mkvHeader(), second(1_700_000_000_000));
    const buffering = await upload.ack('BUFFERING');
    assert.equal(buffering.FragmentTimecode, 1_700_000_000_000);
    assert.match(buffering.FragmentNumber ?? '', /^\d{47}$/);
    upload.send(second(1_700_000_001_000));
    const persisted = await upload.ack('PERSISTED');
    assert.deepEqual(persisted, { ...buffering, EventType: 'PERSISTED' });
    assert.equal((await opened).fragmentNumber, persisted.FragmentNumber);
    assert.deepEqual(await storedTimes(test), [1_700_000_000_000]);
    upload.end();
    assert.deepEqual(typesOf(await upload.over()).toSorted(), [
      'BUFFERING',
      'BUFFERING',
      'PERSISTED',
      'PERSISTED',
      'RECEIVED',
      'RECEIVED',
    ]);
    const [first, next] = upload.acks
      .filter(({ EventType }) => EventType === 'PERSISTED')
      .map(({ FragmentNumber = '' }) => BigInt(FragmentNumber));
    assert.ok(first !== undefined && next !== undefined && next > first);
  });

  it('sends each acknowledgement as a chunk of its own', async () => {
    await using test = await start();
    const upload = await open(test);
    const many = Array.from({ length: 30 }, (_, index) => second(1000 + index * 1000));
    upload.end(mkvHeader(), ...many);
    const acks = await upload.over();
    assert.equal(acks.length, 90);
    assert.equal(upload.chunkBytes.length, 90);
    assert.ok(upload.chunkBytes.every((bytes) => bytes < 200));
  });

  it('ends the last fragment at its tag, and does not wait for more', async () => {
    await using test = await start();
    const upload = await open(test);
    upload.send(mkvHeader(), second(1000), endOfFragment);
    await upload.ack('PERSISTED');
    upload.cut();
  });

  it('never says PERSISTED for a stream without retention', async () => {
    await using test = await start();
    await test.createStream('live', 0);
    const upload = await open(test, { streamName: 'live' });
    upload.end(mkvHeader(), second(1000));
    assert.deepEqual(typesOf(await upload.over()), ['BUFFERING', 'RECEIVED']);
  });

  it('sends nothing to who wants no acknowledgements', async () => {
    await using test = await start();
    const headers = { 'x-amzn-fragment-acknowledgment-required': '0' };
    const upload = await open(test, { headers });
    upload.end(mkvHeader(), second(1000));
    assert.deepEqual(await upload.over(), []);
    assert.deepEqual(await storedTimes(test), [1000]);
  });

  it('counts relative timestamps from the start, and echoes them as they came', async () => {
    await using test = await start();
    const upload = await open(test, {
      headers: {
        'x-amzn-fragment-timecode-type': 'RELATIVE',
        'x-amzn-producer-start-timestamp': '1700000000.25',
      },
    });
    upload.end(mkvHeader(), second(5000));
    await upload.over();
    assert.equal(upload.acks[0]?.FragmentTimecode, 5000);
    assert.deepEqual(await storedTimes(test), [1_700_000_005_250]);
  });

  it('does not store a fragment that was cut off', async () => {
    await using test = await start();
    const upload = await open(test);
    const closed = test.event('putMedia', ({ kind }) => kind === 'closed');
    upload.send(mkvHeader(), second(1000), second(2000));
    await upload.ack('PERSISTED');
    upload.cut();
    assert.equal((await closed).cause, 'cut by the producer');
    assert.deepEqual(await storedTimes(test), [1000]);
    await test.restart();
    assert.deepEqual(await storedTimes(test), [1000]);
  });

  it('takes the same fragments again over a new connection', async () => {
    await using test = await start();
    for (let round = 0; round < 2; round += 1) {
      const upload = await open(test);
      upload.end(mkvHeader(), second(1000));
      await upload.over();
    }
    assert.deepEqual(await storedTimes(test), [1000, 1000]);
  });

  it('numbers fragments upwards over restarts', async () => {
    await using test = await start();
    const numbers: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const upload = await open(test);
      upload.end(mkvHeader(), second(1000), second(2000));
      for (const { EventType, FragmentNumber = '' } of await upload.over()) {
        if (EventType === 'RECEIVED') numbers.push(FragmentNumber);
      }
      await test.restart();
    }
    assert.equal(numbers.length, 6);
    assert.deepEqual(numbers.toSorted(), numbers);
    assert.equal(new Set(numbers).size, 6);
  });

  const refusals: readonly (readonly [
    id: number,
    parts: Buffer[],
    limits?: Partial<IngestLimits>,
  ])[] = [
    [4001, [mkvHeader(), second(1)], { maxFragmentBytes: 100 }],
    [
      4002,
      [
        mkvHeader(),
        cluster(
          1,
          [0, 21_000].map((at) => ({ track: 1, at })),
        ),
      ],
    ],
    [4004, [mkvHeader(), second(1000), second(900)]],
    [4006, [Buffer.from('this is no Matroska at all')]],
    [4009, [mkvHeader(), tags({ AWS_MINE: 'x' })]],
    [4010, [mkvHeader(), cluster(1, [{ track: 2, at: 0 }])]],
    [4011, [mkvHeader([videoTrack, audioTrack]), second(1), endOfFragment]],
    [4012, [mkvHeader([1, 2, 3, 4].map((number) => ({ ...videoTrack, number })))]],
  ];
  for (const [id, parts, limits] of refusals) {
    it(`ends the connection with ${id}`, async () => {
      await using test = await start(limits);
      const upload = await open(test);
      upload.send(...parts);
      const error = await upload.ack('ERROR');
      assert.equal(error.ErrorId, id);
      assert.equal(typeof error.ErrorCode, 'string');
      assert.ok((error.FragmentTimecode ?? -1) >= 0);
      assert.equal(errorOf(await upload.over()), id);
    });
  }

  it('ends a connection that lasts too long with 4003', async () => {
    await using test = await start({ maxConnectionDurationMs: 50 });
    const upload = await open(test);
    assert.equal((await upload.ack('ERROR')).ErrorId, 4003);
    await upload.over();
  });

  it('says IDLE while nothing comes, then ends', async () => {
    await using test = await start({ idleAckIntervalMs: 30, idleTimeoutMs: 90 });
    const upload = await open(test);
    upload.send(mkvHeader());
    const types = typesOf(await upload.over());
    assert.ok(types.length >= 2, `${types.length} acknowledgements`);
    assert.ok(types.every((type) => type === 'IDLE'));
  });

  it('ends when its stream is deleted', async () => {
    await using test = await start();
    const upload = await open(test);
    upload.send(mkvHeader(), second(1000));
    await upload.ack('BUFFERING');
    const { StreamInfo } = await test.control.describeStream({ StreamName: 's' });
    await test.control.deleteStream({ StreamARN: StreamInfo?.StreamARN });
    assert.equal((await upload.ack('ERROR')).ErrorId, 4507);
  });

  const headerCases: readonly (readonly [headers: Record<string, string>, status: number])[] = [
    [{ 'x-amzn-fragment-timecode-type': 'SOMETIMES' }, 400],
    [{ 'x-amzn-fragment-timecode-type': 'RELATIVE' }, 400],
    [{ 'x-amzn-stream-name': 'absent' }, 404],
    [{ 'x-amzn-stream-arn': 'arn:aws:kinesisvideo:us-east-1:1:stream/s/1' }, 400],
  ];
  for (const [headers, status] of headerCases) {
    it(`refuses ${JSON.stringify(headers)} with ${status}`, async () => {
      await using test = await start();
      const upload = await open(test, { headers });
      assert.equal(upload.status, status);
      upload.end(mkvHeader());
      await upload.over();
    });
  }

  it('lets a second connection overlap for a while, no third, and then none', async () => {
    await using test = await start({ connectionOverlapMs: 100 });
    const first = await open(test);
    const second = await open(test);
    const third = await open(test);
    assert.deepEqual([first.status, second.status, third.status], [200, 200, 400]);
    await third.over();
    assert.match(third.text, /ConnectionLimitExceededException/);
    assert.equal((await second.ack('ERROR')).ErrorId, 4000);
    await second.over();
    const fourth = await open(test);
    assert.equal(fourth.status, 400);
    const closed = test.event('putMedia', ({ kind }) => kind === 'closed');
    first.end();
    await first.over();
    await closed;
    const fifth = await open(test);
    assert.equal(fifth.status, 200);
    fifth.cut();
  });

  it('lets connections take turns for ever', async () => {
    await using test = await start({ connectionOverlapMs: 60_000 });
    let current = await open(test);
    for (let round = 0; round < 4; round += 1) {
      const closed = test.event('putMedia', ({ kind }) => kind === 'closed');
      const next = await open(test);
      assert.equal(next.status, 200);
      current.end();
      await closed;
      current = next;
    }
    current.cut();
  });
});

describe('faults', () => {
  it('answers the nth fragment with an error', async () => {
    await using test = await start();
    test.kvs.faults.failAck({ errorId: 5000, fragment: 2, streamName: 's' });
    const upload = await open(test);
    upload.send(mkvHeader(), second(1000), second(2000), second(3000));
    assert.deepEqual(typesOf(await upload.over()), [
      'BUFFERING',
      'RECEIVED',
      'BUFFERING',
      'PERSISTED',
      'ERROR',
    ]);
    assert.equal(errorOf(upload.acks), 5000);
    assert.deepEqual(await storedTimes(test), [1000]);
  });

  it('withholds and delays PERSISTED', async () => {
    await using test = await start();
    const withheld = test.kvs.faults.delayPersisted({ delayMs: Infinity });
    const upload = await open(test);
    const stored = test.event('fragment');
    upload.send(mkvHeader(), second(1000), second(2000));
    await stored;
    withheld.remove();
    const delayed = test.kvs.faults.delayPersisted({ delayMs: 30, streamName: 's' });
    upload.end();
    const persisted = (await upload.over()).filter(({ EventType }) => EventType === 'PERSISTED');
    assert.deepEqual(
      persisted.map(({ FragmentTimecode }) => FragmentTimecode),
      [2000],
    );
    delayed[Symbol.dispose]();
  });

  it('stops reading until told otherwise', async () => {
    await using test = await start();
    const stall = test.kvs.faults.stallPutMedia();
    const upload = await open(test);
    upload.send(mkvHeader(), second(1000), second(2000));
    // The server answers others meanwhile, so it had its chance to read.
    await test.control.listStreams({});
    assert.deepEqual(upload.acks, []);
    stall.remove();
    await upload.ack('RECEIVED');
    upload.end();
    await upload.over();
  });

  it('cuts uploads and refuses new ones', async () => {
    await using test = await start();
    const upload = await open(test);
    upload.send(mkvHeader(), second(1000));
    await upload.ack('BUFFERING');
    assert.equal(test.kvs.faults.cutPutMedia({ streamName: 'other' }), 0);
    assert.equal(test.kvs.faults.cutPutMedia({ streamName: 's' }), 1);
    await upload.over();
    test.kvs.faults.failCalls({ operation: 'PutMedia', status: 503, times: 2 });
    assert.deepEqual((await open(test)).status, 503);
    assert.deepEqual((await open(test)).status, 503);
    const last = await open(test);
    assert.equal(last.status, 200);
    last.cut();
  });

  it('fails calls, and stops when cleared', async () => {
    await using test = await start();
    const { faults } = test.kvs;
    const type = 'AccessDeniedException';
    faults.failCalls({ operation: 'DescribeStream', status: 401, type, times: 100 });
    await test.control.listStreams({});
    await assert.rejects(test.control.describeStream({ StreamName: 's' }), { name: type });
    faults.clear();
    await test.control.describeStream({ StreamName: 's' });
  });
});
