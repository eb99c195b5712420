/** Feeds a PutMediaSink with Matroska that the local KVS takes, and reads back what it stored. */
import { KinesisVideoArchivedMedia } from '@aws-sdk/client-kinesis-video-archived-media';
import { lookUpByListFragments } from '../../lib/putmedia/list-fragments.js';
import { PutMediaSink } from '../../lib/putmedia/put-media-sink.js';
import type { PutMediaSinkOptions } from '../../lib/putmedia/put-media-options.js';
import type { PersistedLookup } from '../../lib/putmedia/stored-check.js';
import { localCredentials } from '../../lib/local/index.js';
import type { FragmentEvent } from '../../lib/local/index.js';
import type { TestKvs } from './local-kvs.js';
import { cluster, endOfFragment, mkvHeader, simpleBlock } from './mkv.js';

const deadlineMs = 10_000;

/** What the server saw of one stream. */
export class StreamWitness {
  readonly fragments: FragmentEvent[] = [];
  /** When each connection opened, on the monotonic clock. */
  readonly openedAtMs: number[] = [];
  /** Why each connection ended. */
  readonly causes: string[] = [];
  open = 0;
  maxOpen = 0;
  readonly #changed = new EventTarget();

  constructor({ kvs }: TestKvs, streamName: string) {
    kvs.on('fragment', (event) => {
      if (event.streamName !== streamName) return;
      this.fragments.push(event);
      this.#changed.dispatchEvent(new Event('change'));
    });
    kvs.on('putMedia', (event) => {
      if (event.streamName !== streamName) return;
      this.open += event.kind === 'opened' ? 1 : -1;
      this.maxOpen = Math.max(this.maxOpen, this.open);
      if (event.kind === 'opened') this.openedAtMs.push(performance.now());
      else this.causes.push(event.cause ?? '');
      this.#changed.dispatchEvent(new Event('change'));
    });
  }

  /** Timecodes of what was stored, in order, duplicates included. */
  get timecodes(): readonly number[] {
    return this.fragments.map(({ producerTimestampMs }) => producerTimestampMs);
  }

  async until(isSo: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs);
    while (!isSo()) {
      await new Promise((resolve, reject) => {
        this.#changed.addEventListener('change', resolve, { once: true });
        signal.addEventListener('abort', () => {
          reject(new Error('the server did not get there'));
        });
      });
    }
  }
}

/** The ListFragments look-up, once the server has finished with every connection. */
export function settledLookUp(
  { kvs }: TestKvs,
  streamName: string,
  witness: StreamWitness,
): PersistedLookup {
  const lookUp = lookUpByListFragments({
    endpoint: kvs.url,
    region: kvs.region,
    streamName,
    credentials: () => Promise.resolve(localCredentials),
    pageSize: 2,
  });
  return async (timecodesMs, options) => {
    await witness.until(() => witness.open === 0);
    return lookUp(timecodesMs, options);
  };
}

/** A sink into a stream of the local KVS, with retries that are quick enough for tests. */
export function localSink(
  { kvs }: TestKvs,
  streamName: string,
  options: Partial<PutMediaSinkOptions> = {},
): PutMediaSink {
  return new PutMediaSink({
    endpoint: kvs.url,
    region: kvs.region,
    streamName,
    credentials: () => Promise.resolve(localCredentials),
    retry: { minDelayMs: 4, maxDelayMs: 40, slowDelayMs: 40 },
    settleMs: 0,
    ...options,
  });
}

/** Writes fragments of video, frame by frame; each frame has a name of its own. */
export class MkvProducer {
  readonly #sink: PutMediaSink;
  readonly #fragmentMs: number;
  #epoch = 0;
  #timecodeMs: number;
  #frames = 0;
  /** Timecodes of all complete fragments, in order. */
  readonly timecodes: number[] = [];
  /** Names of all frames written, in order. */
  readonly frames: string[] = [];

  constructor(sink: PutMediaSink, fragmentMs = 1_000, startMs = 1_700_000_000_000) {
    this.#sink = sink;
    this.#fragmentMs = fragmentMs;
    this.#timecodeMs = startMs;
  }

  beginEpoch(): void {
    this.#epoch += 1;
    this.#sink.beginEpoch({ epoch: this.#epoch, header: mkvHeader() });
  }

  beginFragment(): void {
    this.#timecodeMs += this.#fragmentMs;
    this.#frames = 0;
    this.#sink.beginFragment({ epoch: this.#epoch, timecodeMs: this.#timecodeMs });
    this.#sink.write(cluster(this.#timecodeMs, []));
  }

  frame(bytes = 0): void {
    const name = `frame ${String(this.frames.length)};`;
    const data = Buffer.alloc(Math.max(bytes, name.length));
    data.write(name);
    this.#sink.write(
      simpleBlock({ track: 1, at: this.#frames, isKeyframe: this.#frames === 0, data }),
    );
    this.#frames += 1;
    this.frames.push(name);
  }

  endFragment(): void {
    this.timecodes.push(this.#timecodeMs);
    this.#sink.endFragment({
      durationMs: this.#fragmentMs,
      videoFrames: this.#frames,
      audioFrames: 0,
    });
  }

  fragment(frames = 3, bytes = 0): void {
    this.beginFragment();
    for (let i = 0; i < frames; i++) this.frame(bytes);
    this.endFragment();
  }

  endEpoch(): void {
    this.#sink.endEpoch({ epoch: this.#epoch, trailer: endOfFragment });
  }

  epoch(fragments: number): void {
    this.beginEpoch();
    for (let i = 0; i < fragments; i++) this.fragment();
    this.endEpoch();
  }
}

/** Names of all stored frames in the order of their fragments, by AWS's stock client. */
export async function readFrames(test: TestKvs, witness: StreamWitness): Promise<string[]> {
  const client = new KinesisVideoArchivedMedia(test.client);
  try {
    const names: string[] = [];
    for (const { streamName, fragmentNumber } of witness.fragments) {
      const { Payload } = await client.getMediaForFragmentList({
        StreamName: streamName,
        Fragments: [fragmentNumber],
      });
      const text = Buffer.from((await Payload?.transformToByteArray()) ?? []).toString('latin1');
      names.push(...(text.match(/frame \d+;/g) ?? []));
    }
    return names;
  } finally {
    client.destroy();
  }
}
