/**
 * What a ledger's lines say when they are put together. Pure: lines in, gaps and sums out.
 *
 * Gaps are never written down while they may still change: they follow from what is stored and from
 * what was at work when. Their bounds come from producer timestamps alone, so a clock that is set
 * makes at worst a gap that says so.
 */
import { GapCause, longestCause } from './gap-causes.js';
import type { CausedInterval } from './gap-causes.js';
import { compactLedger } from './compaction.js';
import type { CompactionLimits } from './compaction.js';
import { listGaps } from './gap-list.js';
import type { Gap, LostFrames } from './gap-list.js';
import { IntervalSet } from './interval-set.js';
import type { Interval } from './interval-set.js';
import type { CompactedLine, LedgerLine, WrittenLine } from './ledger-lines.js';
import { LedgerRuns } from './ledger-runs.js';
import { SessionAccounts, extend, remember, receivedOf, remainderOf } from './session-accounts.js';
import type { SessionAccount } from './session-accounts.js';

/** Video frames: `received` is the sum of the others. */
export interface FrameCounts {
  readonly received: number;
  readonly stored: number;
  /** In listed gaps. */
  readonly lost: number;
  /** On their way, or left on disk by a Bridge that ended. */
  readonly pending: number;
}

/** Fragments of one session this close follow on each other, in ms: the pipeline knows of no hole. */
const adjacentMs = 200;
/** Or within this many frames, as of a slow source. */
const adjacentFrames = 3;
/** A session whose media begins this long before the newest stored media, in ms: the clock was set. */
const backwardMs = 1_000;

type SessionLine = Extract<WrittenLine, { readonly session: number }>;
type StoredLine = Extract<WrittenLine, { readonly type: 'stored' }>;
type RecoveredLine = Pick<StoredLine, 'fromMs' | 'owner' | 'recovered'>;

/** The state that a ledger's lines lead to. */
export class Ledger {
  readonly #stored = new IntervalSet();
  readonly #accounts = new SessionAccounts();
  readonly #runs = new LedgerRuns();
  #cuts: LostFrames[] = [];
  #losses: LostFrames[] = [];
  #causes: CausedInterval[] = [];
  #past = { received: 0, stored: 0, lost: 0 };
  /** By how much the clock was set since media of a new session was first stored. */
  #clockByMs = 0;

  /** From the first frame that is known to the end of the last that is stored; undefined without. */
  get range(): Interval | undefined {
    const hull = this.#stored.hull;
    if (hull === undefined) return undefined;
    const first = this.gaps()[0];
    return { fromMs: Math.min(hull.fromMs, first?.fromMs ?? Infinity), toMs: hull.toMs };
  }

  /** Takes in a line; one that is known already has no effect. */
  apply(line: LedgerLine): void {
    if ('atMs' in line) this.#applyWritten(line);
    else this.#applyCompacted(line);
  }

  /** @param nowMs - until when a gap lasts that goes on; without it, such a gap is left out */
  gaps(nowMs?: number): readonly Gap[] {
    const obstacle = nowMs === undefined ? undefined : this.#runs.openObstacle(nowMs);
    return listGaps({
      stored: this.#stored.items,
      cuts: this.#cuts,
      losses: [
        ...this.#losses,
        ...this.#remainders(),
        ...(obstacle === undefined ? [] : [{ ...obstacle, frames: 0 }]),
      ],
      causes: [...this.#causes, ...this.#runs.openObstacles()],
    });
  }

  /** Until when anything was received that is known of; undefined before the first frame. */
  get newestMs(): number | undefined {
    const newest = [...this.#accounts].findLast((account) => account.newestMs !== undefined);
    return newest?.newestMs ?? this.#stored.hull?.toMs;
  }

  /** What kept media from arriving the longest since then; undefined when nothing is known to. */
  causeSince(fromMs: number, nowMs: number): GapCause | undefined {
    const present = this.#runs.openObstacle(nowMs);
    return longestCause({ fromMs, toMs: nowMs }, [
      ...this.#causes,
      ...(present === undefined ? [] : [present]),
    ]);
  }

  /** Counts over all runs. */
  frames(): FrameCounts {
    let { received, stored, lost } = this.#past;
    let pending = 0;
    for (const account of this.#accounts) {
      received += receivedOf(account);
      stored += account.stored;
      lost += account.lost;
      if (this.#isSettled(account)) lost += remainderOf(account);
      else pending += remainderOf(account);
    }
    return { received, stored, lost, pending };
  }

  /** The same in fewer lines. What is older than the limits is forgotten. */
  compact(limits: CompactionLimits): readonly CompactedLine[] {
    return compactLedger(
      {
        stored: this.#stored.items,
        cuts: this.#cuts,
        losses: this.#losses,
        causes: this.#causes,
        gaps: this.gaps(),
        accounts: [...this.#accounts].map((account) => ({
          account,
          isSettled: this.#isSettled(account),
          isGone: this.#runs.isGone(account.run),
        })),
        past: this.#past,
        clockByMs: this.#clockByMs,
        runs: this.#runs.records(),
        lastMs: this.#runs.lastMs,
      },
      limits,
    );
  }

  /**
   * Forgets the oldest once there is twice as much as is wanted: for who asks about the present
   * only. Gaps before that and sums are then those of the file alone.
   *
   * @param max - how many of each are kept: stored stretches, causes, losses, sessions
   */
  keepNewest(max: number): void {
    const lists = [this.#stored.items, this.#cuts, this.#losses, this.#causes];
    if (Math.max(this.#accounts.size, ...lists.map(({ length }) => length)) <= 2 * max) return;
    // After the clock was set back the newest is not the latest.
    const beginMs = this.#stored.items.at(-max)?.fromMs ?? -Infinity;
    const fromMs = Math.min(beginMs, this.newestMs ?? -Infinity);
    const isKept = ({ toMs }: Interval): boolean => toMs > fromMs;
    this.#stored.dropBefore(fromMs);
    this.#cuts = this.#cuts.filter(isKept).slice(-max);
    this.#losses = this.#losses.filter(isKept).slice(-max);
    this.#causes = this.#causes.filter(isKept).slice(-max);
    this.#accounts.keepNewest(max, fromMs);
  }

  #applyWritten(line: WrittenLine): void {
    if (!this.#runs.take(line, (caused) => this.#causes.push(caused))) return;
    switch (line.type) {
      case 'session':
        this.#accountOf(line);
        return;
      case 'seen': {
        const account = this.#accountOf(line);
        account.received = Math.max(account.received, line.received);
        extend(account, line.newestMs, line.newestMs);
        return;
      }
      case 'stored':
        this.#applyStored(line);
        return;
      case 'hole':
      case 'lost': {
        const finder = this.#accountOf(line);
        const account = line.type === 'lost' ? this.#ownerOf(line, finder) : finder;
        account.lost += line.frames;
        extend(account, line.fromMs, line.toMs);
        (line.type === 'hole' ? this.#cuts : this.#losses).push(lostOf(line));
        return;
      }
      case 'clock':
        this.#clockByMs += line.byMs;
        return;
      case 'ended': {
        const account = this.#accountOf(line);
        account.received = Math.max(account.received, line.received);
        if (line.newestMs > 0) extend(account, line.newestMs, line.newestMs);
        account.endCause = line.cause;
        return;
      }
      case 'begin':
      case 'obstacle':
      case 'end':
        return;
    }
  }

  #applyCompacted(line: CompactedLine): void {
    switch (line.type) {
      case 'compacted':
        this.#past = { ...line.past };
        this.#clockByMs = line.clockByMs;
        this.#runs.restoreTime(line.lastMs);
        return;
      case 'run':
        this.#runs.restore(line);
        return;
      case 'kept':
        this.#stored.add(line);
        return;
      case 'gap':
        this.#cuts.push(lostOf(line));
        return;
      case 'loss':
        this.#losses.push(lostOf(line));
        return;
      case 'caused':
        this.#causes.push({ fromMs: line.fromMs, toMs: line.toMs, cause: line.cause });
        return;
      case 'account':
        this.#accounts.restore(line);
        return;
    }
  }

  #applyStored(line: StoredLine): void {
    const finder = this.#accountOf(line);
    const isRecovered = line.recovered === true;
    const account = this.#ownerOf(line, finder);
    // By its time alone another may have been taken for its owner.
    const isKnown =
      isRecovered && line.owner === undefined
        ? this.#accounts.hasFragment(line.fromMs)
        : account.timecodesMs.has(line.fromMs);
    if (isKnown) return;
    remember(account, line.fromMs);
    if (!isRecovered && !account.isStoring) {
      this.#noteClock(line.fromMs);
      this.#accounts.overtake(account);
    }
    account.stored += line.frames;
    extend(account, line.fromMs, line.toMs);
    const frameMs = line.frames === 0 ? 0 : (line.toMs - line.fromMs) / line.frames;
    this.#stored.add(line, Math.max(adjacentMs, adjacentFrames * frameMs));
  }

  /** The first media of a session tells what the clock did since that of the one before. */
  #noteClock(fromMs: number): void {
    const byMs = this.#clockByMs;
    this.#clockByMs = 0;
    if (byMs > 0) {
      this.#causes.push({ fromMs: fromMs - byMs, toMs: fromMs, cause: GapCause.clockStep });
    }
    const newestMs = this.#stored.hull?.toMs;
    if (newestMs === undefined || fromMs >= newestMs - backwardMs) return;
    this.#cuts.push({ fromMs, toMs: fromMs, frames: 0, cause: GapCause.clockStep });
  }

  #accountOf(line: SessionLine): SessionAccount {
    return this.#accounts.of(line.of ?? line.run, line.session, line.atMs);
  }

  /** Who received what `finder` told of: as its file says, else as the times say. */
  #ownerOf({ recovered, owner, fromMs }: RecoveredLine, finder: SessionAccount): SessionAccount {
    if (recovered === undefined) return finder;
    const named = owner && this.#accounts.find(owner.run, owner.session);
    return named ?? this.#accounts.ownerOf(fromMs, finder);
  }

  #isSettled(account: SessionAccount): boolean {
    if (!account.isOvertaken) return false;
    return account.endCause !== undefined || this.#runs.isGone(account.run);
  }

  /** What settled sessions received and nobody spoke of again. */
  #remainders(): readonly LostFrames[] {
    const remainders: LostFrames[] = [];
    for (const account of this.#accounts) {
      const frames = remainderOf(account);
      if (frames === 0 || !this.#isSettled(account)) continue;
      const atMs = account.newestMs ?? account.lastMs;
      const cause = account.endCause ?? GapCause.restart;
      remainders.push({ fromMs: atMs, toMs: atMs, frames, cause });
    }
    return remainders;
  }
}

function lostOf({ fromMs, toMs, frames, cause }: LostFrames): LostFrames {
  return { fromMs, toMs, frames, cause };
}
