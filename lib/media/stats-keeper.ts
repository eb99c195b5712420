/** Puts together what a session measures: the pipeline's numbers and the sinks' acknowledgements. */
import type { MediaSink } from '../putmedia/media-sink.js';
import type { NativeEvent } from './native-events.js';
import { noStats } from './session-stats.js';
import type { SessionStats } from './session-stats.js';

type NativeStats = Extract<NativeEvent, { type: 'stats' }>;

/** Keeps the newest of both. */
export class StatsKeeper {
  readonly #errors: Record<string, number> = {};
  #buffering = 0;
  #received = 0;
  #persisted = 0;
  #pipeline: Omit<SessionStats, 'acks'> = noStats;

  /** Counts the acknowledgements of a sink. */
  follow(sink: MediaSink): void {
    sink.on('buffering', () => (this.#buffering += 1));
    sink.on('received', () => (this.#received += 1));
    sink.on('persisted', () => (this.#persisted += 1));
    sink.on('ackError', ({ errorId }) => {
      const id = String(errorId);
      this.#errors[id] = (this.#errors[id] ?? 0) + 1;
    });
  }

  onStats(stats: NativeStats): void {
    const { video, audio, path, roundTripMs } = stats;
    const { newestVideoTimecodeMs: pictureMs, newestAudioTimecodeMs: soundMs } = stats;
    const hasBoth = pictureMs > 0 && soundMs > 0;
    this.#pipeline = {
      video,
      audio,
      ...(path === undefined ? {} : { path }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(hasBoth ? { audioLeadMs: soundMs - pictureMs } : {}),
    };
  }

  read(): SessionStats {
    return {
      ...this.#pipeline,
      acks: {
        buffering: this.#buffering,
        received: this.#received,
        persisted: this.#persisted,
        errors: { ...this.#errors },
      },
    };
  }
}
