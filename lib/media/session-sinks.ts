/** The sinks of one session. Which of them stores an epoch is the native side's choice. */
import type { KvsSink } from '../kvssink/kvs-sink.js';
import type { MediaSinkStats } from '../putmedia/media-sink.js';
import type { PutMediaSink } from '../putmedia/put-media-sink.js';
import type { NativeEvent } from './native-events.js';

type SinkEvent = Extract<
  NativeEvent,
  {
    type:
      | 'epoch'
      | 'fragmentStart'
      | 'mediaData'
      | 'fragmentEnd'
      | 'epochEnd'
      | 'sinkAck'
      | 'sinkState';
  }
>;

/** Hands media to the sink of its epoch, and adds up what both made of it. */
export class SessionSinks {
  readonly putMedia: PutMediaSink;
  /** Present when kvssink is in use. */
  readonly kvs: KvsSink | undefined;
  #current: PutMediaSink | KvsSink;

  constructor(putMedia: PutMediaSink, kvs: KvsSink | undefined) {
    this.putMedia = putMedia;
    this.kvs = kvs;
    this.#current = putMedia;
  }

  /** Every sink there is. */
  get all(): readonly (PutMediaSink | KvsSink)[] {
    return this.kvs === undefined ? [this.putMedia] : [this.putMedia, this.kvs];
  }

  handle(event: SinkEvent): void {
    const { kvs, putMedia } = this;
    switch (event.type) {
      case 'epoch':
        this.#current = event.sink === 'kvssink' && kvs !== undefined ? kvs : putMedia;
        if (this.#current === putMedia) putMedia.beginEpoch(event);
        return;
      case 'fragmentStart':
        this.#current.beginFragment({ epoch: event.epoch, timecodeMs: event.timecodeMs });
        return;
      case 'mediaData':
        putMedia.write(event.data);
        return;
      case 'fragmentEnd':
        this.#current.endFragment(event);
        return;
      case 'epochEnd':
        if (this.#current === putMedia) putMedia.endEpoch(event);
        return;
      case 'sinkAck':
        kvs?.onAck(event);
        return;
      case 'sinkState':
        kvs?.onState(event);
        return;
    }
  }

  stats(): MediaSinkStats {
    const a = this.putMedia.stats();
    const b = this.kvs?.stats();
    if (b === undefined) return a;
    return {
      videoFramesIn: a.videoFramesIn + b.videoFramesIn,
      audioFramesIn: a.audioFramesIn + b.audioFramesIn,
      videoFramesStored: a.videoFramesStored + b.videoFramesStored,
      audioFramesStored: a.audioFramesStored + b.audioFramesStored,
      fragmentsPersisted: a.fragmentsPersisted + b.fragmentsPersisted,
      fragmentsLost: a.fragmentsLost + b.fragmentsLost,
      videoFramesLost: a.videoFramesLost + b.videoFramesLost,
      audioFramesLost: a.audioFramesLost + b.audioFramesLost,
      videoFramesPending: a.videoFramesPending + b.videoFramesPending,
      audioFramesPending: a.audioFramesPending + b.audioFramesPending,
      videoFramesSpooled: a.videoFramesSpooled + b.videoFramesSpooled,
      fragmentsRecovered: a.fragmentsRecovered + b.fragmentsRecovered,
      videoFramesRecovered: a.videoFramesRecovered + b.videoFramesRecovered,
      fragmentsPending: a.fragmentsPending + b.fragmentsPending,
      bytesPending: a.bytesPending + b.bytesPending,
      lastPersistedTimecodeMs: latest(a.lastPersistedTimecodeMs, b.lastPersistedTimecodeMs),
    };
  }

  /** The native side is gone: kvssink says no more. What it failed on is looked up, or lost. */
  async end(): Promise<void> {
    this.kvs?.end();
    if (this.kvs?.isStuck === true) await this.kvs.settle('elementFailed');
  }

  async drain(timeoutMs: number): Promise<void> {
    await Promise.all(this.all.map((sink) => sink.drain({ timeoutMs })));
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((sink) => sink.close()));
  }
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
