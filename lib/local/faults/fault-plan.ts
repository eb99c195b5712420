/** Faults that are planned; the server's parts ask before they act. */
import { ServiceError } from '../http/service-error.js';

/** A fault that lasts until it is removed. */
export interface Fault extends Disposable {
  remove(): void;
}

/** Which streams a fault concerns. */
export interface StreamScope {
  /** @defaultValue every stream */
  readonly streamName?: string;
}

/** An error to answer calls with. */
export interface CallFailure {
  /** Such as `DescribeStream`, `PutMedia` or `ConnectAsViewer`. @defaultValue every operation */
  readonly operation?: string;
  /** @defaultValue 500 */
  readonly status?: number;
  /** Name of the exception. @defaultValue 'InternalFailure' */
  readonly type?: string;
  /** How many calls fail. @defaultValue 1 */
  readonly times?: number;
}

/** An ERROR acknowledgement in place of RECEIVED. */
export interface AckFailure extends StreamScope {
  /** One of AWS's, or any other number: the service may get new ones. */
  readonly errorId: number;
  /** Which fragment, counted from now. @defaultValue 1, the next one to be complete */
  readonly fragment?: number;
}

/** Keys that work no more. */
export interface RevokedKeys {
  readonly accessKeyId: string;
}

/** What callers may do, as a policy would have it. */
export interface AllowedCalls {
  /** Such as `DescribeStream`, `PutMedia` or `ConnectAsViewer`; every other is denied. */
  readonly operations: readonly string[];
}

/** A clock that is wrong: the service's, as seen by who goes by another. */
export interface ClockShift {
  /** How far it is ahead, in ms; negative when behind. */
  readonly byMs: number;
}

/** What happens to PERSISTED acknowledgements. */
export interface PersistedDelay extends StreamScope {
  /** Infinity withholds them. */
  readonly delayMs: number;
}

/** How many fragments a stream takes. */
export interface FragmentRate extends StreamScope {
  /** The service's quota is 5 (AWS dev guide, "Amazon Kinesis Video Streams quotas"). */
  readonly perSecond: number;
}

/**
 * Fragments are counted over this long, in ms: what was spaced well may arrive bunched, and would be
 * too much for a single second.
 */
const rateWindowMs = 2_000;

interface Countdown<T> {
  readonly fault: T;
  left: number;
}

export class FaultPlan {
  readonly #calls = new Set<Countdown<CallFailure>>();
  readonly #allowed = new Set<AllowedCalls>();
  readonly #acks = new Set<Countdown<AckFailure>>();
  readonly #delays = new Set<PersistedDelay>();
  readonly #stalls = new Set<StreamScope>();
  readonly #rates = new Set<FragmentRate>();
  /** When the latest fragments of a stream began, on the monotonic clock, oldest first. */
  readonly #begunAtMs = new Map<string, number[]>();
  readonly #revoked = new Set<RevokedKeys>();
  readonly #shifts = new Set<ClockShift>();
  readonly #onStallsChanged: () => void;

  /** @param onStallsChanged - called after a stall began or ended */
  constructor(onStallsChanged: () => void) {
    this.#onStallsChanged = onStallsChanged;
  }

  failCalls(fault: CallFailure): Fault {
    return planned(this.#calls, { fault, left: fault.times ?? 1 });
  }

  allowOnly(fault: AllowedCalls): Fault {
    return planned(this.#allowed, { ...fault });
  }

  failAck(fault: AckFailure): Fault {
    return planned(this.#acks, { fault, left: fault.fragment ?? 1 });
  }

  delayPersisted(fault: PersistedDelay): Fault {
    return planned(this.#delays, fault);
  }

  limitFragments(fault: FragmentRate): Fault {
    return planned(this.#rates, { ...fault });
  }

  shiftClock(fault: ClockShift): Fault {
    return planned(this.#shifts, { ...fault });
  }

  stall(fault: StreamScope): Fault {
    return planned(this.#stalls, { ...fault }, this.#onStallsChanged);
  }

  revokeKeys(fault: RevokedKeys): Fault {
    return planned(this.#revoked, { ...fault });
  }

  clear(): void {
    this.#revoked.clear();
    this.#shifts.clear();
    this.#calls.clear();
    this.#allowed.clear();
    this.#acks.clear();
    this.#delays.clear();
    this.#rates.clear();
    this.#stalls.clear();
    this.#onStallsChanged();
  }

  /** @throws {@link ServiceError} a call of this operation is to fail */
  checkCall(operation: string): void {
    for (const { operations } of this.#allowed) {
      if (operations.includes(operation)) continue;
      const reason = `No policy allows kinesisvideo:${operation}.`;
      throw new ServiceError('AccessDeniedException', 403, reason);
    }
    for (const countdown of this.#calls) {
      const { operation: wanted, status = 500, type = 'InternalFailure' } = countdown.fault;
      if (wanted !== undefined && wanted !== operation) continue;
      countdown.left -= 1;
      if (countdown.left <= 0) this.#calls.delete(countdown);
      throw new ServiceError(type, status, `${type} was asked for by fault injection.`);
    }
  }

  /** The error to answer a complete fragment with. */
  takeAckError(streamName: string): number | undefined {
    for (const countdown of this.#acks) {
      if (!concerns(countdown.fault, streamName)) continue;
      countdown.left -= 1;
      if (countdown.left > 0) continue;
      this.#acks.delete(countdown);
      return countdown.fault.errorId;
    }
    return undefined;
  }

  /** Counts a fragment that begins. @returns whether it is one more than the stream takes */
  isOverRate(streamName: string, nowMs = performance.now()): boolean {
    const limits = [...this.#rates].filter((fault) => concerns(fault, streamName));
    if (limits.length === 0) return false;
    const perSecond = Math.min(...limits.map((fault) => fault.perSecond));
    const recent = (this.#begunAtMs.get(streamName) ?? []).filter(
      (begunMs) => nowMs - begunMs < rateWindowMs,
    );
    const isOver = recent.length >= (perSecond * rateWindowMs) / 1_000;
    this.#begunAtMs.set(streamName, isOver ? recent : [...recent, nowMs]);
    return isOver;
  }

  /** The time that the service goes by. */
  now(): Date {
    const byMs = [...this.#shifts].reduce((sum, shift) => sum + shift.byMs, 0);
    return new Date(Date.now() + byMs);
  }

  /** How much later PERSISTED is to be sent, in ms; Infinity for never. */
  persistedDelayMs(streamName: string): number {
    let delayMs = 0;
    for (const fault of this.#delays) {
      if (concerns(fault, streamName)) delayMs = Math.max(delayMs, fault.delayMs);
    }
    return delayMs;
  }

  isRevoked(accessKeyId: string): boolean {
    return [...this.#revoked].some((fault) => fault.accessKeyId === accessKeyId);
  }

  isStalled(streamName: string): boolean {
    return [...this.#stalls].some((fault) => concerns(fault, streamName));
  }
}

function concerns({ streamName }: StreamScope, name: string): boolean {
  return streamName === undefined || streamName === name;
}

function planned<T>(faults: Set<T>, fault: T, onChanged: () => void = () => undefined): Fault {
  faults.add(fault);
  onChanged();
  const remove = (): void => {
    if (faults.delete(fault)) onChanged();
  };
  return { remove, [Symbol.dispose]: remove };
}
