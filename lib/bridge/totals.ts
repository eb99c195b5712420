/** Adds the totals of a Bridge's sessions up. */
import { noTotals } from '../media/media-session.js';
import type { MediaTotals } from '../media/media-session.js';
import type { BridgeTotals } from './events.js';

/** Totals of finished sessions plus those of the present one. */
export class SessionTotals {
  #finished: MediaTotals = noTotals;
  #current: MediaTotals = noTotals;
  #sessions = 0;
  #isCounted = false;

  /** A session begins. */
  begin(): void {
    this.#finished = add(this.#finished, this.#current);
    this.#current = noTotals;
    this.#isCounted = false;
  }

  /** A master answered the present session; again is fine. */
  countSession(): void {
    if (!this.#isCounted) this.#sessions += 1;
    this.#isCounted = true;
  }

  update(totals: MediaTotals): void {
    this.#current = totals;
  }

  read(): BridgeTotals {
    return { sessions: this.#sessions, ...add(this.#finished, this.#current) };
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
    keyframeRequests: a.keyframeRequests + b.keyframeRequests,
    newestReceivedMs: Math.max(a.newestReceivedMs, b.newestReceivedMs),
    newestPersistedMs: Math.max(a.newestPersistedMs, b.newestPersistedMs),
  };
}
