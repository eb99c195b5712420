/** Produces stand-in media for a PutMediaSink and records its events. */
import { once } from 'node:events';
import { PutMediaSink } from '../../lib/putmedia/put-media-sink.js';
import type { PutMediaSinkOptions } from '../../lib/putmedia/put-media-options.js';
import type { MediaSinkEvents } from '../../lib/putmedia/media-sink.js';

/** Made-up keys that must not show up anywhere. */
export const testCredentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'very-secret-access-key',
  sessionToken: 'very-secret-session-token',
};

const deadlineMs = 10_000;

/** A sink with retries that are quick enough for tests. */
export function createSink(
  endpoint: string,
  options: Partial<PutMediaSinkOptions> = {},
): PutMediaSink {
  return new PutMediaSink({
    endpoint,
    region: 'eu-central-1',
    streamName: 'cam-1',
    credentials: () => Promise.resolve(testCredentials),
    retry: { minDelayMs: 4, maxDelayMs: 40, slowDelayMs: 40 },
    ...options,
  });
}

/** Writes fragments as a muxer does. */
export class Producer {
  readonly #sink: PutMediaSink;
  #epoch = 0;
  #timecodeMs = 1_700_000_000_000;
  /** Timecodes of all complete fragments, in order. */
  readonly timecodes: number[] = [];

  constructor(sink: PutMediaSink) {
    this.#sink = sink;
  }

  /** One complete epoch of `fragments` fragments. */
  epoch(fragments: number): void {
    this.beginEpoch();
    for (let i = 0; i < fragments; i++) this.fragment();
    this.endEpoch();
  }

  beginEpoch(): void {
    this.#epoch += 1;
    this.#sink.beginEpoch({
      epoch: this.#epoch,
      header: Buffer.from(`H${String(this.#epoch)}\n`),
    });
  }

  endEpoch(): void {
    this.#sink.endEpoch({ epoch: this.#epoch, trailer: Buffer.from('T\n') });
  }

  /** A complete fragment of `frames` frames, each with `padding` bytes more than needed. */
  fragment(frames = 3, padding = 0): number {
    const timecodeMs = this.beginFragment();
    for (let i = 0; i < frames; i++) this.frame(`${String(timecodeMs)}/${String(i)}`, padding);
    this.endFragment(frames);
    return timecodeMs;
  }

  beginFragment(): number {
    this.#timecodeMs += 1_000;
    this.#sink.beginFragment({ epoch: this.#epoch, timecodeMs: this.#timecodeMs });
    this.#sink.write(Buffer.from(`C${String(this.#timecodeMs)}\n`));
    return this.#timecodeMs;
  }

  frame(name: string, padding = 0): void {
    this.#sink.write(Buffer.from(`F${name}${'.'.repeat(padding)}\n`));
  }

  endFragment(frames: number): void {
    this.timecodes.push(this.#timecodeMs);
    this.#sink.endFragment({ durationMs: 1_000, videoFrames: frames, audioFrames: 1 });
  }
}

/** All events of a sink, in order, with their payloads. */
export function recordEvents(sink: PutMediaSink): { name: string; payload: unknown }[] {
  const events: { name: string; payload: unknown }[] = [];
  const names: (keyof MediaSinkEvents)[] = [
    'buffering',
    'received',
    'persisted',
    'ackError',
    'connection',
    'dropped',
    'failed',
  ];
  for (const name of names) {
    sink.on(name, (payload: unknown) => {
      events.push({ name, payload });
    });
  }
  return events;
}

/** The next event of a kind that satisfies `isWanted`. */
export async function nextEvent<Name extends keyof MediaSinkEvents>(
  sink: PutMediaSink,
  name: Name,
  isWanted: (payload: MediaSinkEvents[Name][0]) => boolean = () => true,
): Promise<MediaSinkEvents[Name][0]> {
  const signal = AbortSignal.timeout(deadlineMs);
  for (;;) {
    const [payload] = (await once(sink, name, { signal })) as MediaSinkEvents[Name];
    if (isWanted(payload)) return payload;
  }
}

/** Drains within the tests' deadline. */
export function drain(sink: PutMediaSink): ReturnType<PutMediaSink['drain']> {
  return sink.drain({ timeoutMs: deadlineMs });
}
