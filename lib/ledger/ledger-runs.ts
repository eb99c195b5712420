/** The runs of Bridges that a ledger tells of: which are over, and what kept media from arriving. */
import { GapCause } from './gap-causes.js';
import type { CausedInterval } from './gap-causes.js';
import type { RunRecord, WrittenLine } from './ledger-lines.js';

/** A run that is silent for this long after another began is over, in ms. */
const silenceMs = 3_000;

interface Run {
  seq: number;
  /** Of lines before that did not come: those that wait for a compaction come late. */
  readonly missing: Set<number>;
  lastMs: number;
  /** When the next run began, while this one has not been heard of again. */
  followedMs: number | undefined;
  isOver: boolean;
  obstacle: { readonly cause: GapCause; readonly fromMs: number } | undefined;
}

/** Follows the runs through the lines that they wrote. */
export class LedgerRuns {
  readonly #runs = new Map<string, Run>();
  #lastMs = 0;

  /** When the last line was written, by the clock of then; 0 without any. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /**
   * Takes note of a line.
   *
   * @param onCause - told of each cause that was at work and is no longer
   * @returns false when the line was taken before
   */
  take(line: WrittenLine, onCause: (caused: CausedInterval) => void): boolean {
    const known = this.#runs.get(line.run);
    const isLate = known?.missing.delete(line.seq) === true;
    if (known !== undefined && line.seq <= known.seq && !isLate) return false;
    const run: Run = known ?? {
      seq: 0,
      missing: new Set(),
      lastMs: 0,
      followedMs: undefined,
      isOver: false,
      obstacle: undefined,
    };
    this.#runs.set(line.run, run);
    const beforeMs = this.#lastMs;
    noteMissing(run, line.seq);
    run.seq = Math.max(run.seq, line.seq);
    run.lastMs = line.atMs;
    run.followedMs = undefined;
    this.#lastMs = line.atMs;
    if (line.type === 'begin') this.#begin(run, line.atMs, beforeMs, onCause);
    else if (line.type === 'obstacle')
      this.#change(run, line.cause, line.sinceMs ?? line.atMs, onCause);
    else if (line.type === 'end') this.#end(run, line.atMs, onCause);
    return true;
  }

  /** What a compacted file says of a run. */
  restore({ run, over, followedMs, missing, obstacle, ...record }: RunRecord): void {
    this.#runs.set(run, {
      ...record,
      missing: new Set(missing),
      followedMs,
      obstacle,
      isOver: over === true,
    });
  }

  /** When the last line was written, as a compacted file says. */
  restoreTime(lastMs: number): void {
    this.#lastMs = lastMs;
  }

  /** Each run that may write more, as {@link restore} takes it. */
  records(): readonly RunRecord[] {
    return [...this.#runs]
      .filter(([, { lastMs }]) => this.#lastMs - lastMs < forgottenMs)
      .map(([run, { seq, missing, lastMs, isOver, followedMs, obstacle }]) => ({
        ...{ run, seq, lastMs },
        ...(missing.size === 0 ? {} : { missing: [...missing] }),
        ...(isOver ? { over: true } : {}),
        ...(followedMs === undefined ? {} : { followedMs }),
        ...(obstacle === undefined ? {} : { obstacle }),
      }));
  }

  /** Whether nothing is to be expected of a run any more. */
  isGone(id: string): boolean {
    const run = this.#runs.get(id);
    if (run === undefined || run.isOver) return true;
    return run.followedMs !== undefined && this.#lastMs - run.followedMs >= silenceMs;
  }

  /** What keeps media from arriving now; undefined when it arrives. */
  openObstacle(nowMs: number): CausedInterval | undefined {
    const obstacle = [...this.#runs.values()].at(-1)?.obstacle;
    if (obstacle === undefined) return undefined;
    return { ...obstacle, toMs: Math.max(nowMs, this.#lastMs, obstacle.fromMs) };
  }

  /** Everything that keeps media from arriving, until the last line. */
  openObstacles(): readonly CausedInterval[] {
    const toMs = this.#lastMs;
    return [...this.#runs.values()].flatMap(({ obstacle }) =>
      obstacle === undefined || obstacle.fromMs > toMs ? [] : [{ ...obstacle, toMs }],
    );
  }

  #begin(
    begun: Run,
    atMs: number,
    beforeMs: number,
    onCause: (caused: CausedInterval) => void,
  ): void {
    if (beforeMs > 0 && beforeMs < atMs) {
      onCause({ fromMs: beforeMs, toMs: atMs, cause: GapCause.restart });
    }
    for (const run of this.#runs.values()) {
      if (run === begun || run.isOver) continue;
      run.followedMs ??= atMs;
      // What kept it from receiving ends with it.
      this.#change(run, null, run.lastMs, onCause);
    }
  }

  #end(run: Run, atMs: number, onCause: (caused: CausedInterval) => void): void {
    run.isOver = true;
    this.#change(run, null, atMs, onCause);
  }

  #change(
    run: Run,
    cause: GapCause | null,
    atMs: number,
    onCause: (caused: CausedInterval) => void,
  ): void {
    const { obstacle } = run;
    if (obstacle !== undefined && obstacle.fromMs < atMs) {
      // Written out: an object made by spreading takes three times the memory, for as long as it is kept.
      onCause({ fromMs: obstacle.fromMs, toMs: atMs, cause: obstacle.cause });
    }
    run.obstacle = cause === null ? undefined : { cause, fromMs: atMs };
  }
}

/** Most lines of a run that may come late. */
const maxMissing = 1_000;

function noteMissing({ seq, missing }: Run, nextSeq: number): void {
  for (let late = Math.max(seq + 1, nextSeq - maxMissing); late < nextSeq; late += 1) {
    missing.add(late);
  }
  for (const oldest of missing) {
    if (missing.size <= maxMissing) return;
    missing.delete(oldest);
  }
}

/** A run that wrote nothing for this long writes nothing twice, in ms. */
const forgottenMs = 86_400_000;
