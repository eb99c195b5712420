import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { KinesisVideoArchivedMedia } from '@aws-sdk/client-kinesis-video-archived-media';
import { KinesisVideoMedia } from '@aws-sdk/client-kinesis-video-media';
import type { StartSelector } from '@aws-sdk/client-kinesis-video-media';
import { writeRecording } from '../../lib/local/index.js';
import { ErrorCode, LocalKvsError } from '../../lib/util/errors.js';
import { awsError, TestKvs } from '../support/local-kvs.js';
import { mkvHeader, second } from '../support/mkv.js';
import { Upload } from '../support/put-media.js';

const run = promisify(execFile);
const startMs = 1_700_000_000_000;
const frameRate = 30;
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-read-back-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

/** H.264 and AAC as a live Matroska stream, 6 s. */
async function makeMedia(size: string): Promise<Buffer> {
  const path = join(folder, `${size}.mkv`);
  const video = `testsrc2=size=${size}:rate=${frameRate}`;
  await run('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', video, '-f', 'lavfi', '-i', 'sine=sample_rate=48000'],
    ...['-t', '6', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-c:a', 'aac'],
    ...['-cluster_time_limit', '1900', '-cluster_size_limit', '100M'],
    ...['-live', '1', '-f', 'matroska', '-y', path],
  ]);
  return readFile(path);
}

async function put(test: TestKvs, media: Buffer, offsetMs = 0): Promise<void> {
  const upload = await Upload.open({
    url: test.kvs.url,
    streamName: 's',
    headers: {
      'x-amzn-fragment-timecode-type': 'RELATIVE',
      'x-amzn-producer-start-timestamp': String((startMs + offsetMs) / 1000),
    },
  });
  upload.end(media);
  const errors = (await upload.over()).filter(({ EventType }) => EventType === 'ERROR');
  assert.deepEqual(errors, []);
}

interface Probe {
  readonly format: { readonly duration: string; readonly start_time: string };
  readonly streams: readonly {
    readonly codec_name: string;
    readonly nb_read_frames: string;
    readonly width?: number;
  }[];
}

async function probe(path: string): Promise<Probe> {
  const entries = 'format=duration,start_time:stream=codec_name,nb_read_frames,width';
  const { stdout } = await run('ffprobe', [
    ...['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', path],
  ]);
  return JSON.parse(stdout) as Probe;
}

/** Decodes everything from `seekSeconds` on; any error at all fails. */
async function decode(path: string, seekSeconds = 0): Promise<void> {
  const { stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-err_detect', 'explode', '-xerror', '-ss', String(seekSeconds)],
    ...['-i', path, '-f', 'null', '-'],
  ]);
  assert.equal(stderr, '');
}

describe('read-back of H.264 and AAC', () => {
  let test: TestKvs;
  let archive: KinesisVideoArchivedMedia;
  before(async () => {
    test = await TestKvs.start();
    await test.createStream('s');
    archive = new KinesisVideoArchivedMedia(test.client);
    await put(test, await makeMedia('320x180'));
    await put(test, await makeMedia('640x360'), 6100);
  });
  after(async () => {
    archive.destroy();
    await test[Symbol.asyncDispose]();
  });

  async function numbers(): Promise<string[]> {
    const { Fragments = [] } = await archive.listFragments({ StreamName: 's' });
    return Fragments.map(({ FragmentNumber = '' }) => FragmentNumber);
  }

  it('lists what is stored, in pages and by time', async () => {
    const all = await archive.listFragments({ StreamName: 's' });
    const fragments = all.Fragments ?? [];
    assert.ok(fragments.length >= 8, `${fragments.length} fragments`);
    assert.equal(all.NextToken, undefined);
    const paged: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await archive.listFragments({ StreamName: 's', MaxResults: 3, NextToken });
      paged.push(...(page.Fragments ?? []).map(({ FragmentNumber = '' }) => FragmentNumber));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(paged, await numbers());
    assert.equal(fragments[0]?.ProducerTimestamp?.getTime(), startMs);
    const total = fragments.reduce((sum, one) => sum + (one.FragmentLengthInMilliseconds ?? 0), 0);
    assert.ok(Math.abs(total - 12_000) < 500, `${total} ms`);
    const StartTimestamp = fragments[1]?.ProducerTimestamp;
    const EndTimestamp = fragments[2]?.ProducerTimestamp;
    const range = await archive.listFragments({
      StreamName: 's',
      FragmentSelector: {
        FragmentSelectorType: 'PRODUCER_TIMESTAMP',
        TimestampRange: { StartTimestamp, EndTimestamp },
      },
    });
    assert.equal(range.Fragments?.length, 2);
  });

  it('hands out each fragment as a file that decodes by itself', async () => {
    for (const [index, number] of (await numbers()).entries()) {
      const { ContentType, Payload } = await archive.getMediaForFragmentList({
        StreamName: 's',
        Fragments: [number],
      });
      assert.equal(ContentType, 'video/webm');
      const path = join(folder, `fragment-${index}.mkv`);
      const bytes = Buffer.from((await Payload?.transformToByteArray()) ?? []);
      for (const tag of [
        'AWS_KINESISVIDEO_FRAGMENT_NUMBER',
        number,
        'AWS_KINESISVIDEO_SERVER_TIMESTAMP',
        'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP',
        'AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP',
        'AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP',
      ]) {
        assert.ok(bytes.includes(tag), tag);
      }
      await writeFile(path, bytes);
      if (index === 0) await decode(path);
      const { streams } = await probe(path);
      assert.deepEqual(
        streams.map(({ codec_name }) => codec_name),
        ['h264', 'aac'],
      );
    }
  });

  it('answers 404 for a fragment that is not there', async () => {
    await assert.rejects(
      archive.getMediaForFragmentList({ StreamName: 's', Fragments: ['123'] }),
      awsError('ResourceNotFoundException', 404),
    );
    await assert.rejects(
      archive.getMediaForFragmentList({ StreamName: 's', Fragments: ['twelve'] }),
      awsError('InvalidArgumentException', 400),
    );
  });

  it('writes a recording that can be played and sought in, one file per configuration', async () => {
    const path = join(folder, 'recordings', 'r.mkv');
    const recording = await writeRecording({ kvs: test.kvs, stream: 's', path });
    const second = join(folder, 'recordings', 'r-2.mkv');
    assert.deepEqual(recording.paths, [path, second]);
    assert.equal(recording.videoFrames, 2 * 6 * frameRate);
    assert.equal(recording.fragments, (await numbers()).length);
    assert.ok(Math.abs(recording.durationMs - 12_000) < 200, `${recording.durationMs} ms`);
    for (const [file, width] of [
      [path, 320],
      [second, 640],
    ] as const) {
      const { format, streams } = await probe(file);
      assert.equal(streams[0]?.nb_read_frames, String(6 * frameRate));
      assert.equal(streams[0].width, width);
      assert.ok(Math.abs(Number(format.duration) - 6) < 0.1, format.duration);
      assert.ok(Math.abs(Number(format.start_time)) < 0.05, format.start_time);
      await decode(file);
      await decode(file, 4);
    }
    const part = await writeRecording({
      kvs: test.kvs,
      stream: 's',
      path,
      range: { startMs: startMs + 6000 },
    });
    assert.deepEqual(part.paths, [path]);
    assert.equal((await probe(path)).streams[0]?.width, 640);
  });

  it('still has it all after a restart', async () => {
    const before = await numbers();
    await test.restart();
    archive.destroy();
    archive = new KinesisVideoArchivedMedia(test.client);
    assert.deepEqual(await numbers(), before);
  });
});

describe('writeRecording', () => {
  it('writes what was sent twice only once', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    const media = Buffer.concat([mkvHeader(), second(0), second(1000)]);
    await put(test, media);
    await put(test, media);
    const path = join(folder, 'twice.mkv');
    const { fragments, videoFrames } = await writeRecording({ kvs: test.kvs, stream: 's', path });
    assert.deepEqual({ fragments, videoFrames }, { fragments: 2, videoFrames: 20 });
  });

  it('says when there is nothing to write', async () => {
    await using test = await TestKvs.start();
    await test.createStream('s');
    const path = join(folder, 'nothing.mkv');
    const failsWith =
      (code: ErrorCode) =>
      (error: unknown): boolean =>
        error instanceof LocalKvsError && error.code === code && error.fix !== undefined;
    await assert.rejects(
      writeRecording({ kvs: test.kvs, stream: 's', path }),
      failsWith(ErrorCode.notPersisted),
    );
    await assert.rejects(
      writeRecording({ kvs: test.kvs, stream: 'absent', path }),
      failsWith(ErrorCode.streamNotFound),
    );
  });
});

describe('GetMedia', () => {
  /** Reads until so many fragments have come, by their numbers. */
  async function read(
    test: TestKvs,
    selector: StartSelector,
    count: number,
    streamName = 's',
    onFirst: () => Promise<void> = async () => Promise.resolve(),
  ): Promise<string[]> {
    const client = new KinesisVideoMedia(test.client);
    const abort = new AbortController();
    const { Payload } = await client.getMedia(
      { StreamName: streamName, StartSelector: selector },
      { abortSignal: abort.signal },
    );
    await onFirst();
    let text = '';
    const found = (): string[] =>
      [...text.matchAll(/CONTINUATION_TOKEND\x87?[^\d]*(\d{47})/g)].map(
        ([, number = '']) => number,
      );
    const timer = setTimeout(() => {
      abort.abort();
    }, 10_000);
    for await (const chunk of Payload as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1');
      if (found().length >= count) break;
    }
    clearTimeout(timer);
    client.destroy();
    return found();
  }

  interface Fixture extends AsyncDisposable {
    readonly test: TestKvs;
    readonly numbers: readonly string[];
  }

  async function withFragments(count: number, retentionHours = 1): Promise<Fixture> {
    const test = await TestKvs.start();
    await test.createStream('s', retentionHours);
    const upload = await Upload.open({ url: test.kvs.url, streamName: 's' });
    const media = Array.from({ length: count }, (_, index) => second(startMs + index * 1000));
    upload.end(mkvHeader(), ...media);
    const acks = await upload.over();
    const received = acks.filter(({ EventType }) => EventType === 'RECEIVED');
    return {
      test,
      numbers: received.map(({ FragmentNumber = '' }) => FragmentNumber),
      [Symbol.asyncDispose]: async () => test[Symbol.asyncDispose](),
    };
  }

  it('starts where it is told to', async () => {
    await using fixture = await withFragments(4);
    const { test, numbers } = fixture;
    const cases: readonly (readonly [StartSelector, readonly string[]])[] = [
      [{ StartSelectorType: 'EARLIEST' }, numbers],
      [{ StartSelectorType: 'NOW' }, numbers.slice(3)],
      [{ StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: numbers[1] }, numbers.slice(2)],
      [
        { StartSelectorType: 'CONTINUATION_TOKEN', ContinuationToken: numbers[0] },
        numbers.slice(1),
      ],
      [
        { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(startMs + 1500) },
        numbers.slice(1),
      ],
      [{ StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: new Date(0) }, numbers],
    ];
    for (const [selector, expected] of cases) {
      assert.deepEqual(
        await read(test, selector, expected.length),
        expected,
        selector.StartSelectorType,
      );
    }
  });

  it('stays open for what comes next', async () => {
    await using fixture = await withFragments(1);
    const { test, numbers } = fixture;
    const got = await read(test, { StartSelectorType: 'EARLIEST' }, 3, 's', async () => {
      const upload = await Upload.open({ url: test.kvs.url, streamName: 's' });
      upload.end(mkvHeader(), second(startMs + 1000), second(startMs + 2000));
      await upload.over();
    });
    assert.deepEqual(got.slice(0, 1), numbers);
    assert.equal(got.length, 3);
  });

  it('reads a stream without retention live, which the archive does not', async () => {
    await using fixture = await withFragments(2, 0);
    const { test, numbers } = fixture;
    assert.deepEqual(await read(test, { StartSelectorType: 'EARLIEST' }, 2), numbers);
    const archive = new KinesisVideoArchivedMedia(test.client);
    await assert.rejects(
      archive.listFragments({ StreamName: 's' }),
      awsError('NoDataRetentionException', 400),
    );
    archive.destroy();
  });

  it('ends when the stream is deleted', async () => {
    await using fixture = await withFragments(1);
    const { test } = fixture;
    const got = await read(test, { StartSelectorType: 'EARLIEST' }, 99, 's', async () => {
      const { StreamInfo } = await test.control.describeStream({ StreamName: 's' });
      await test.control.deleteStream({ StreamARN: StreamInfo?.StreamARN });
    });
    assert.ok(got.length <= 1);
  });

  it('refuses wrong selectors and a fourth reader', async () => {
    await using fixture = await withFragments(1);
    const { test } = fixture;
    const client = new KinesisVideoMedia(test.client);
    const get = async (StartSelector: StartSelector): Promise<unknown> =>
      client.getMedia({ StreamName: 's', StartSelector });
    const invalid = awsError('InvalidArgumentException', 400);
    await assert.rejects(get({ StartSelectorType: 'FRAGMENT_NUMBER' }), invalid);
    await assert.rejects(get({ StartSelectorType: 'SERVER_TIMESTAMP' }), invalid);
    await assert.rejects(get({ StartSelectorType: undefined }), invalid);
    for (let reader = 0; reader < 3; reader += 1) await get({ StartSelectorType: 'NOW' });
    await assert.rejects(
      get({ StartSelectorType: 'NOW' }),
      awsError('ConnectionLimitExceededException', 400),
    );
    client.destroy();
  });
});
