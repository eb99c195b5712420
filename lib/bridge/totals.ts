/** Adds the totals of a Bridge's sessions up. */
import { noTotals } from '../media/media-session.js';
import type { MediaTotals, StoredFragment } from '../media/media-session.js';
import type { BridgeTotals } from './events.js';

/** Where one session tells its totals. */
export interface SessionTally {
  /** A master answered; again is fine. */
  countAnswer(): void;
  /** Its totals so far. */
  update(totals: MediaTotals): void;
  /** They are its last. */
  end(): void;
}

/** Totals of finished sessions plus those of the ones that still run: the last of them may drain. */
export class SessionTotals {
  readonly #running = new Map<SessionTally, MediaTotals>();
  readonly #sinceMs = Date.now();
  #finished: MediaTotals = noTotals;
  #sessions = 0;
  #isStopping = false;
  #unsaved = 0;
  /** What sessions of this Bridge left, and later ones stored. */
  #settledFrames = 0;
  #settledFragments = 0;

  /** A session begins. */
  begin(): SessionTally {
    let isCounted = false;
    const tally: SessionTally = {
      countAnswer: () => {
        if (!isCounted) this.#sessions += 1;
        isCounted = true;
      },
      update: (totals) => {
        if (this.#running.has(tally)) this.#running.set(tally, totals);
      },
      end: () => {
        const last = this.#running.get(tally) ?? noTotals;
        this.#finished = add(this.#finished, last);
        if (this.#isStopping) {
          this.#unsaved += Math.max(0, last.videoFramesPending - last.videoFramesSpooled);
        }
        this.#running.delete(tally);
      },
    };
    this.#running.set(tally, noTotals);
    return tally;
  }

  /** What runs now is drained: from here on it counts what that leaves behind. */
  beginStop(): void {
    this.#isStopping = true;
  }

  /** Video frames of the sessions that were drained that are neither persisted nor in the spool. */
  get unsaved(): number {
    return this.#unsaved;
  }

  /** A fragment that another session had left is stored: no longer pending, if it was ours. */
  recovered({ timecodeMs, videoFrames }: StoredFragment): void {
    if (timecodeMs < this.#sinceMs) return;
    this.#settledFrames += videoFrames;
    this.#settledFragments += 1;
  }

  read(): BridgeTotals {
    const sum = [...this.#running.values()].reduce(add, this.#finished);
    // A session that was killed had no time to tell of all that it had received.
    const settled = Math.min(this.#finished.videoFramesPending, this.#settledFrames);
    const pending = sum.videoFramesPending - settled;
    return {
      ...sum,
      sessions: this.#sessions,
      videoFramesStored: sum.videoFramesStored + settled,
      fragmentsPersisted: sum.fragmentsPersisted + this.#settledFragments,
      videoFramesPending: pending,
      videoFramesSpooled: Math.min(sum.videoFramesSpooled, pending),
    };
  }
}

function add(a: MediaTotals, b: MediaTotals): MediaTotals {
  return {
    videoFramesReceived: a.videoFramesReceived + b.videoFramesReceived,
    audioFramesReceived: a.audioFramesReceived + b.audioFramesReceived,
    videoBytesReceived: a.videoBytesReceived + b.videoBytesReceived,
    videoFramesStored: a.videoFramesStored + b.videoFramesStored,
    audioFramesStored: a.audioFramesStored + b.audioFramesStored,
    fragmentsPersisted: a.fragmentsPersisted + b.fragmentsPersisted,
    bytesPersisted: a.bytesPersisted + b.bytesPersisted,
    videoFramesLost: a.videoFramesLost + b.videoFramesLost,
    videoFramesPending: a.videoFramesPending + b.videoFramesPending,
    videoFramesSpooled: a.videoFramesSpooled + b.videoFramesSpooled,
    fragmentsRecovered: a.fragmentsRecovered + b.fragmentsRecovered,
    videoFramesRecovered: a.videoFramesRecovered + b.videoFramesRecovered,
    keyframeRequests: a.keyframeRequests + b.keyframeRequests,
    newestReceivedMs: Math.max(a.newestReceivedMs, b.newestReceivedMs),
    newestPersistedMs: Math.max(a.newestPersistedMs, b.newestPersistedMs),
  };
}
