/** Tells whether KVS confirms what it gets: the only ground for saying "recording". */
export class RecordingMonitor {
  readonly #timeoutMs: number;
  readonly #onChange: (recording: boolean) => void;
  #deadline: NodeJS.Timeout | undefined;
  #reason: string | undefined;

  /**
   * @param timeoutMs - without a PERSISTED for this long it is not recording
   * @param onChange - called with true at each first PERSISTED, with false when the time is up
   */
  constructor(timeoutMs: number, onChange: (recording: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
  }

  /** Why nothing is confirmed, as far as known. */
  get reason(): string {
    const waited = `no PERSISTED for ${String(this.#timeoutMs / 1000)} s`;
    return this.#reason === undefined ? waited : `${waited}: ${this.#reason}`;
  }

  /** Media arrives: from now on a PERSISTED is due. */
  expect(): void {
    if (this.#deadline === undefined) this.#arm();
  }

  onPersisted(): void {
    this.#reason = undefined;
    this.#arm();
    this.#onChange(true);
  }

  /** Remembers what is likely to be the cause of the next silence. */
  explain(reason: string): void {
    this.#reason = reason;
  }

  /** No media is to be expected until {@link expect}. */
  pause(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #arm(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#onChange(false);
    }, this.#timeoutMs);
  }
}
