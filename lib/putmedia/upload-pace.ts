/** Keeps an upload within what KVS takes, also when much has waited. Pure: time is handed in. */

/** What a stream takes. */
export interface UploadQuota {
  readonly fragmentsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** The quotas of PutMedia for one stream (AWS dev guide, "Amazon Kinesis Video Streams quotas"). */
export const kvsUploadQuota: UploadQuota = { fragmentsPerSecond: 5, bytesPerSecond: 12_500_000 };

/** A second, and a margin for the network, which may bunch what was spaced. */
const windowMs = 1_100;

/**
 * At most as many fragments begin in any second as the quota says. Bytes may run ahead of it by what
 * it grants in a second, so that a keyframe need not wait.
 */
export class UploadPace {
  readonly #quota: UploadQuota;
  /** When the latest fragments began, oldest first, as many as the quota at most. */
  readonly #begunAtMs: number[] = [];
  /** By when all bytes so far would be through at the rate of the quota. */
  #throughAtMs = 0;

  constructor(quota: UploadQuota) {
    this.#quota = quota;
  }

  /** Time until the next bytes may go, in ms; 0: now. @param begins - they begin a fragment */
  waitMs(nowMs: number, begins: boolean): number {
    const [oldestMs] = this.#begunAtMs;
    const isFull = this.#begunAtMs.length >= this.#quota.fragmentsPerSecond;
    const turnMs = begins && isFull && oldestMs !== undefined ? oldestMs + windowMs : 0;
    return Math.max(0, turnMs - nowMs, this.#throughAtMs - windowMs - nowMs);
  }

  /** A fragment begins. */
  onFragment(nowMs: number): void {
    this.#begunAtMs.push(nowMs);
    if (this.#begunAtMs.length > this.#quota.fragmentsPerSecond) this.#begunAtMs.shift();
  }

  onBytes(bytes: number, nowMs: number): void {
    const ms = (bytes * 1_000) / this.#quota.bytesPerSecond;
    this.#throughAtMs = Math.max(this.#throughAtMs, nowMs) + ms;
  }
}
