/** Tells whether KVS confirms what it gets: the only ground for saying "recording". */

/** What a {@link RecordingMonitor} finds. */
export interface RecordingMonitorEvents {
  /** KVS confirms what arrives. */
  readonly onRecording: () => void;
  /** It does not, and why; again when more is known. */
  readonly onSilence: (reason: string) => void;
}

/** Watches the PERSISTED of the present session while it receives media. */
export class RecordingMonitor {
  readonly #timeoutMs: number;
  readonly #events: RecordingMonitorEvents;
  #deadline: NodeJS.Timeout | undefined;
  #isExpecting = false;
  #isSilent = false;
  #cause: string | undefined;
  #framesReceived = 0;
  /** Whether frames came since the last PERSISTED; undefined as long as nobody counted. */
  #hasNewFrames: boolean | undefined;

  /** @param timeoutMs - without a PERSISTED for this long it is not recording */
  constructor(timeoutMs: number, events: RecordingMonitorEvents) {
    this.#timeoutMs = timeoutMs;
    this.#events = events;
  }

  /** Media arrives: from now on a PERSISTED is due. */
  expect(): void {
    if (this.#isExpecting) return;
    this.#isExpecting = true;
    this.#framesReceived = 0;
    this.#arm();
  }

  /** KVS confirmed media; that counts only while there is more to come. */
  onPersisted(): void {
    if (!this.#isExpecting) return;
    this.#cause = undefined;
    this.#arm();
    this.#events.onRecording();
  }

  /** @param count - video frames that the session has received so far */
  onFrames(count: number): void {
    if (!this.#isExpecting) return;
    if (count > this.#framesReceived) this.#hasNewFrames = true;
    else this.#hasNewFrames ??= false;
    this.#framesReceived = count;
  }

  /**
   * Remembers what is likely to be the cause of the silence.
   *
   * @param isCertain - nothing can be stored: the deadline is not waited for
   */
  explain(cause: string, isCertain = false): void {
    this.#cause = cause;
    if (!this.#isExpecting || !(this.#isSilent || isCertain)) return;
    this.#isSilent = true;
    this.#events.onSilence(isCertain ? cause : this.#reason());
  }

  /** No media is to be expected until {@link expect}. */
  pause(): void {
    clearTimeout(this.#deadline);
    this.#isExpecting = false;
    this.#isSilent = false;
    this.#cause = undefined;
  }

  #arm(): void {
    clearTimeout(this.#deadline);
    this.#isSilent = false;
    this.#hasNewFrames = undefined;
    this.#deadline = setTimeout(() => {
      this.#isSilent = true;
      this.#events.onSilence(this.#reason());
    }, this.#timeoutMs);
  }

  #reason(): string {
    const waited = `no PERSISTED for ${String(this.#timeoutMs / 1000)} s`;
    if (this.#cause !== undefined) return `${waited}: ${this.#cause}`;
    return this.#hasNewFrames === false ? `${waited}: the master sends no frames` : waited;
  }
}
