/** Counts of video frames, by session: what was received, stored and lost. */
import type { GapCause } from './gap-causes.js';
import type { SessionRecord } from './ledger-lines.js';

/** Fragments of a session whose timecodes are remembered, to count none of them twice. */
const maxRememberedTimecodes = 64;

/** A session's account while it is kept. */
export interface SessionAccount {
  readonly run: string;
  readonly session: number;
  /** Where its media begins; undefined while it had none. */
  fromMs: number | undefined;
  /** Its newest frame; undefined while it had none. */
  newestMs: number | undefined;
  received: number;
  stored: number;
  lost: number;
  endCause: GapCause | undefined;
  lastMs: number;
  /** A later session's own media was stored: uploads are in order, so nothing of this one is left. */
  isOvertaken: boolean;
  /** It stored media of its own. */
  isStoring: boolean;
  readonly timecodesMs: Set<number>;
}

/** Frames that were received and are neither stored nor known to be lost. */
export function remainderOf({ received, stored, lost }: SessionAccount): number {
  return Math.max(0, received - stored - lost);
}

/** What was received: at times more is stored than was last told to have been received. */
export function receivedOf({ received, stored, lost }: SessionAccount): number {
  return Math.max(received, stored + lost);
}

/** Takes note of media between two times. */
export function extend(account: SessionAccount, fromMs: number, toMs: number): void {
  account.fromMs = Math.min(account.fromMs ?? fromMs, fromMs);
  account.newestMs = Math.max(account.newestMs ?? toMs, toMs);
}

/** Takes note of a fragment that is counted. */
export function remember({ timecodesMs }: SessionAccount, timecodeMs: number): void {
  timecodesMs.add(timecodeMs);
  const [oldest] = timecodesMs;
  if (timecodesMs.size > maxRememberedTimecodes && oldest !== undefined) timecodesMs.delete(oldest);
}

/** The accounts of the sessions that are not folded into the past, in the order they began. */
export class SessionAccounts {
  readonly #accounts = new Map<string, SessionAccount>();
  /** Those that are not overtaken: the last few. */
  #notOvertaken: SessionAccount[] = [];

  [Symbol.iterator](): IterableIterator<SessionAccount> {
    return this.#accounts.values();
  }

  /** The account of a session; a new one when it has none. */
  of(run: string, session: number, atMs: number): SessionAccount {
    const key = keyOf(run, session);
    const known = this.#accounts.get(key);
    if (known !== undefined) {
      known.lastMs = atMs;
      return known;
    }
    return this.restore({ run, session, received: 0, stored: 0, lost: 0, lastMs: atMs });
  }

  /** The account of a session; undefined when it has none, or is folded into the past. */
  find(run: string, session: number): SessionAccount | undefined {
    return this.#accounts.get(keyOf(run, session));
  }

  /** An account as it was written. */
  restore({
    fromMs,
    newestMs,
    endCause,
    storing,
    overtaken,
    ...record
  }: SessionRecord): SessionAccount {
    const account: SessionAccount = {
      ...record,
      fromMs,
      newestMs,
      endCause,
      isOvertaken: overtaken === true,
      isStoring: storing === true,
      timecodesMs: new Set(),
    };
    this.#accounts.set(keyOf(record.run, record.session), account);
    if (!account.isOvertaken) this.#notOvertaken.push(account);
    return account;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Forgets all but the newest `max`, and those whose media ended by `timeMs`. */
  keepNewest(max: number, timeMs: number): void {
    let surplus = this.#accounts.size - max;
    const forgotten = new Set<SessionAccount>();
    for (const [key, account] of this.#accounts) {
      const { newestMs = Infinity } = account;
      if (surplus > 0 || newestMs <= timeMs) {
        this.#accounts.delete(key);
        forgotten.add(account);
      }
      surplus -= 1;
    }
    this.#notOvertaken = this.#notOvertaken.filter((account) => !forgotten.has(account));
  }

  /** The first media of `account` is stored: all sessions before it have had their turn. */
  overtake(account: SessionAccount): void {
    if (account.isStoring) return;
    account.isStoring = true;
    // None is before one that is overtaken itself.
    const before = Math.max(0, this.#notOvertaken.indexOf(account));
    for (const earlier of this.#notOvertaken.splice(0, before)) earlier.isOvertaken = true;
  }

  /**
   * Whose a fragment is that `finder` found on disk: the last session before it whose media covers
   * that time, else the last one that began by then, else the last one.
   */
  ownerOf(timecodeMs: number, finder: SessionAccount): SessionAccount {
    let last: SessionAccount | undefined;
    let begun: SessionAccount | undefined;
    let covering: SessionAccount | undefined;
    for (const account of this) {
      if (account === finder) break;
      const { fromMs, newestMs = -Infinity } = account;
      last = account;
      if (fromMs === undefined || timecodeMs < fromMs) continue;
      begun = account;
      // The last moments before a crash were perhaps not reported.
      if (timecodeMs <= newestMs + unreportedMs) covering = account;
    }
    return covering ?? begun ?? last ?? finder;
  }

  /** Whether a fragment was counted before, by any session of late. */
  hasFragment(timecodeMs: number): boolean {
    for (const { timecodesMs } of this) if (timecodesMs.has(timecodeMs)) return true;
    return false;
  }
}

/** How far a session may have gone on after it was last heard of. */
const unreportedMs = 5_000;

function keyOf(run: string, session: number): string {
  return `${run}/${String(session)}`;
}
