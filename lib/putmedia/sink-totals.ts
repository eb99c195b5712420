/** Counts what went into a sink and what became of it. */
import type { Fragment } from './fragment.js';
import type { FragmentTotals, MediaSinkStats } from './media-sink.js';

type Counts = Omit<
  MediaSinkStats,
  | 'audioFramesPending'
  | 'bytesPending'
  | 'fragmentsPending'
  | 'videoFramesPending'
  | 'videoFramesSpooled'
>;

/** Running totals of a sink. */
export class SinkTotals {
  #videoFramesIn = 0;
  #audioFramesIn = 0;
  #videoFramesStored = 0;
  #audioFramesStored = 0;
  #fragmentsPersisted = 0;
  #fragmentsLost = 0;
  #videoFramesLost = 0;
  #audioFramesLost = 0;
  #fragmentsRecovered = 0;
  #videoFramesRecovered = 0;
  #lastPersistedTimecodeMs: number | undefined;

  /** The producer completed a fragment. */
  produced({ videoFrames, audioFrames }: FragmentTotals): void {
    this.#videoFramesIn += videoFrames;
    this.#audioFramesIn += audioFrames;
  }

  persisted(
    { timecodeMs }: Pick<Fragment, 'timecodeMs'>,
    { videoFrames, audioFrames }: FragmentTotals,
  ): void {
    this.#fragmentsPersisted += 1;
    this.#videoFramesStored += videoFrames;
    this.#audioFramesStored += audioFrames;
    this.#lastPersistedTimecodeMs = Math.max(this.#lastPersistedTimecodeMs ?? 0, timecodeMs);
  }

  /** A fragment of an earlier session is stored. */
  recovered({ videoFrames }: FragmentTotals): void {
    this.#fragmentsRecovered += 1;
    this.#videoFramesRecovered += videoFrames;
  }

  lost({ videoFrames, audioFrames }: FragmentTotals): void {
    this.#fragmentsLost += 1;
    this.#videoFramesLost += videoFrames;
    this.#audioFramesLost += audioFrames;
  }

  /** A copy of the totals. */
  snapshot(): Counts {
    return {
      videoFramesIn: this.#videoFramesIn,
      audioFramesIn: this.#audioFramesIn,
      videoFramesStored: this.#videoFramesStored,
      audioFramesStored: this.#audioFramesStored,
      fragmentsPersisted: this.#fragmentsPersisted,
      fragmentsLost: this.#fragmentsLost,
      videoFramesLost: this.#videoFramesLost,
      audioFramesLost: this.#audioFramesLost,
      fragmentsRecovered: this.#fragmentsRecovered,
      videoFramesRecovered: this.#videoFramesRecovered,
      lastPersistedTimecodeMs: this.#lastPersistedTimecodeMs,
    };
  }
}
