/** Adds up what a media session received, stored and lost. */
import type { MediaSinkStats, PersistedEvent } from '../putmedia/media-sink.js';
import type { MediaTotals } from './media-session.js';
import type { NativeEvent } from './native-events.js';

type NativeStats = Extract<NativeEvent, { type: 'stats' }>;

/** Joins the pipeline's counts with the sink's. */
export class TotalsKeeper {
  #native: NativeStats | undefined;
  #bytesPersisted = 0;
  #newestPersistedMs = 0;

  onStats(stats: NativeStats): void {
    this.#native = stats;
  }

  onPersisted({ bytes, timecodeMs, durationMs, recovered }: PersistedEvent): void {
    if (recovered === true) return;
    this.#bytesPersisted += bytes;
    this.#newestPersistedMs = Math.max(this.#newestPersistedMs, timecodeMs + durationMs);
  }

  read(sink: MediaSinkStats): MediaTotals {
    const received = this.#native?.videoFramesReceived ?? 0;
    const lost = (this.#native?.videoFramesDropped ?? 0) + sink.videoFramesLost;
    return {
      videoFramesReceived: received,
      audioFramesReceived: this.#native?.audioFramesReceived ?? 0,
      videoBytesReceived: this.#native?.videoBytesReceived ?? 0,
      videoFramesStored: sink.videoFramesStored,
      audioFramesStored: sink.audioFramesStored,
      fragmentsPersisted: sink.fragmentsPersisted,
      bytesPersisted: this.#bytesPersisted,
      videoFramesLost: lost,
      // The pipeline reports once a second, acknowledgements come at any time: never below zero.
      videoFramesPending: Math.max(0, received - sink.videoFramesStored - lost),
      videoFramesSpooled: sink.videoFramesSpooled,
      fragmentsRecovered: sink.fragmentsRecovered,
      videoFramesRecovered: sink.videoFramesRecovered,
      keyframeRequests: this.#native?.keyframeRequests ?? 0,
      newestReceivedMs: this.#native?.newestVideoTimecodeMs ?? 0,
      newestPersistedMs: this.#newestPersistedMs,
    };
  }
}
