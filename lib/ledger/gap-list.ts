/** Turns what is stored, and what kept the rest from it, into a list of gaps. Pure. */
import { GapCause, longestCause } from './gap-causes.js';
import type { CausedInterval } from './gap-causes.js';
import { IntervalIndex } from './interval-index.js';
import { holesIn, overlapMs, without } from './interval-set.js';
import type { Interval } from './interval-set.js';

/** A stretch of time between the first and the last frame that is not stored. */
export interface Gap {
  /** Where it begins, Unix epoch ms. */
  readonly fromMs: number;
  /** Where it ends, Unix epoch ms: the first moment that is not in it. */
  readonly toMs: number;
  readonly cause: GapCause;
  /** Video frames that arrived in it and are not stored; 0 when nothing arrived. */
  readonly videoFramesLost: number;
  /** It has not ended yet, or may still become shorter: nothing after it is stored. */
  readonly open: boolean;
}

/** Frames that are not stored, where they were, and why. */
export interface LostFrames extends CausedInterval {
  readonly frames: number;
}

/** What the list is made from. */
export interface GapEvidence {
  /** Persisted media: sorted, disjoint. */
  readonly stored: readonly Interval[];
  /** What is known not to be stored, within persisted fragments too. */
  readonly cuts: readonly LostFrames[];
  /** Frames of fragments that were to be stored there, and were not. */
  readonly losses: readonly LostFrames[];
  /** What was at work when. */
  readonly causes: readonly CausedInterval[];
}

/** A hole, and what is known of it so far. */
interface Entry extends Interval {
  frames: number;
  /** Why most of its frames are lost. */
  frameCause: GapCause | undefined;
  mostFrames: number;
}

/** Frames this close to a hole belong to it, in ms: where they were is known by the frame before. */
const nearMs = 1_000;

/**
 * The gaps, in order of time; no two overlap. Together with what is stored they make up the whole
 * range. Frames that are missing where the time is covered, as after a clock was set back, are in a
 * gap without length.
 */
export function listGaps({ stored, cuts, losses, causes }: GapEvidence): readonly Gap[] {
  const lastStoredMs = stored.at(-1)?.toMs;
  const known = [...cuts, ...losses];
  // Behind what is stored everything is open; without anything stored there is no before.
  const isOpen = ({ toMs }: Interval): boolean => lastStoredMs === undefined || toMs > lastStoredMs;
  const settled = known.filter((lost) => !isOpen(lost));
  const range: Interval = {
    fromMs: earliestMs(settled, stored[0]?.fromMs),
    toMs: lastStoredMs ?? -Infinity,
  };
  const covered = without(
    stored,
    cuts.filter((cut) => !isOpen(cut)),
  );
  const entries = holesIn(range, covered).map(toEntry);
  const holes = new IntervalIndex(entries);
  const instants = new Map<string, Entry>();
  for (const lost of settled) {
    if (lost.frames > 0 || lost.fromMs === lost.toMs) put(lost, holes, instants);
  }
  const weights = new IntervalIndex<CausedInterval>([...settled, ...causes]);
  const gaps = [...entries, ...instants.values()].map((entry) => toGap(entry, weights, false));
  const open = openGap(known.filter(isOpen), lastStoredMs);
  return [...gaps.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs), ...open];
}

/** Puts lost frames where they belong. */
function put(lost: LostFrames, holes: IntervalIndex<Entry>, instants: Map<string, Entry>): void {
  const { fromMs, toMs, cause } = lost;
  const near = holes.touching({ fromMs: fromMs - nearMs, toMs: toMs + nearMs });
  let entry = best(near, (hole) => overlapMs(hole, lost));
  entry ??= near.find((hole) => hole.fromMs <= fromMs && toMs <= hole.toMs);
  // What the clock did is told apart from the holes next to it.
  if (cause !== GapCause.clockStep) {
    entry ??= best(near, (hole) => nearMs - distanceMs(hole, lost));
  }
  const instant = `${String(fromMs)} ${cause}`;
  entry ??= instants.get(instant);
  if (entry === undefined) {
    entry = toEntry({ fromMs, toMs: fromMs });
    instants.set(instant, entry);
  }
  if (lost.frames >= entry.mostFrames) {
    entry.mostFrames = lost.frames;
    entry.frameCause = lost.cause;
  }
  entry.frames += lost.frames;
}

/** The entry of the highest score above 0. */
function best(entries: readonly Entry[], score: (entry: Entry) => number): Entry | undefined {
  let found: Entry | undefined;
  let highest = 0;
  for (const entry of entries) {
    const value = score(entry);
    if (value <= highest) continue;
    highest = value;
    found = entry;
  }
  return found;
}

function distanceMs(a: Interval, b: Interval): number {
  return Math.max(0, a.fromMs - b.toMs, b.fromMs - a.toMs);
}

function earliestMs(lost: readonly LostFrames[], firstMs = Infinity): number {
  return lost.reduce((earliest, { fromMs }) => Math.min(earliest, fromMs), firstMs);
}

function openGap(lost: readonly LostFrames[], lastStoredMs: number | undefined): readonly Gap[] {
  // Without a first frame nothing is missing yet.
  const hasFrames = lastStoredMs !== undefined || lost.some(({ frames }) => frames > 0);
  if (lost.length === 0 || !hasFrames) return [];
  const entry = toEntry({
    fromMs: Math.max(lastStoredMs ?? -Infinity, earliestMs(lost)),
    toMs: lost.reduce((latest, { toMs }) => Math.max(latest, toMs), -Infinity),
  });
  for (const part of lost) entry.frames += part.frames;
  return [toGap(entry, new IntervalIndex(lost), true)];
}

function toEntry({ fromMs, toMs }: Interval): Entry {
  return { fromMs, toMs, frames: 0, frameCause: undefined, mostFrames: 0 };
}

function toGap(
  { fromMs, toMs, frames, frameCause }: Entry,
  causes: IntervalIndex<CausedInterval>,
  open: boolean,
): Gap {
  const hole = { fromMs, toMs };
  const cause = longestCause(hole, causes.touching(hole)) ?? frameCause ?? GapCause.reconnect;
  return { ...hole, cause, videoFramesLost: frames, open };
}
