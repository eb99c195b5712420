/** AWS's time, as its answers tell it: signatures are good for five minutes around it. */

/** Smaller differences are the way's delay and the header's whole seconds, and harm no signature. */
const toleranceMs = 60_000;

/** This machine's clock, corrected by how far it was from AWS's when AWS last told. */
export class AwsClock {
  readonly #localNow: () => number;
  #offsetMs = 0;

  /** @param localNow - the machine's clock, ms since the epoch */
  constructor(localNow: () => number = Date.now) {
    this.#localNow = localNow;
  }

  /** How far AWS's clock is ahead of this machine's, in ms; 0 while they agree. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** AWS's time, ms since the epoch. */
  now(): number {
    return this.#localNow() + this.#offsetMs;
  }

  /**
   * Takes note of the Date header of an answer (RFC 9110, 6.6.1).
   *
   * @returns whether AWS's time was another than {@link now}: a signature may fare better now
   */
  observe(dateHeader: string | undefined): boolean {
    const awsMs = Date.parse(dateHeader ?? '');
    if (Number.isNaN(awsMs) || Math.abs(awsMs - this.now()) < toleranceMs) return false;
    const offsetMs = awsMs - this.#localNow();
    this.#offsetMs = Math.abs(offsetMs) < toleranceMs ? 0 : offsetMs;
    return true;
  }
}

/** The clock for every signature of this process: there is one AWS, and one machine. */
export const awsClock = new AwsClock();
