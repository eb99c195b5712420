/** Compares what was sent with what is stored and with what the ledger says is not. */
import type { Gap, GapReport } from '../../lib/index.js';
import type { Archive, StoredFrame } from './archive.js';
import type { Claim } from './claim.js';
import type { SentNumbers } from './master-runner.js';

/** Where numbers or time are missing between two stored frames. */
export interface Hole {
  readonly after: StoredFrame;
  readonly before: StoredFrame;
  /** Frames that were sent in between. */
  readonly frames: number;
  /** What of it no gap in the ledger covers. */
  readonly unlistedMs: number;
  readonly causes: readonly string[];
}

export interface Verdict {
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  /** Frames that are neither stored nor in the ledger. */
  readonly unaccounted: number;
  readonly holes: readonly Hole[];
  /** Fragments that the bridge said are stored, each counted once. */
  readonly claims: number;
  /** Of these, those that the archive does not have just so. */
  readonly falseClaims: number;
  /** Frames whose pictures show another number than their encoder counted: the master's fault. */
  readonly misshown: readonly string[];
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[];
}

const frameMs = 1_000 / 15;
/** Jitter of capture and rounding: a longer distance is a hole. */
const maxStepMs = 400;
/** By how much the ledger's times may differ from those of the frames at a hole's ends. */
const toleranceMs = 300;
/** What may be on its way when the master leaves. */
const maxTailFrames = 15;

/** What {@link judge} compares. */
export interface Evidence {
  readonly streams: readonly SentNumbers[];
  readonly archive: Archive;
  /** Fragments that the bridge said are stored; the same one as often as it said so. */
  readonly claims: readonly Claim[];
  /** Frames that the bridge counted as received. */
  readonly received: number;
  /** What the bridge's ledger says. */
  readonly ledger: Pick<GapReport, 'gaps' | 'corruptLines' | 'videoFrames'>;
}

export function judge({ streams, archive, claims, received, ledger }: Evidence): Verdict {
  const { frames, fragments } = archive;
  const timecodes = new Set(fragments.map(({ timecodeMs }) => timecodeMs));
  const unique = frames.filter(({ number }, index) => frames[index - 1]?.number !== number);
  const duplicates = frames.length - unique.length + fragments.length - timecodes.size;
  const sent = extended(streams, unique);
  const holes = holesIn(unique, sent, ledger.gaps);
  const last = unique.at(-1)?.number ?? -1;
  const tailFrames = countBetween(sent, last, Infinity);
  const inHoles = holes.reduce((sum, { frames: missing }) => sum + missing, 0);
  const vanished = Math.max(0, received - unique.length - inHoles);
  const unlisted = holes.filter(({ unlistedMs }) => unlistedMs > toleranceMs);
  const problems: string[] = [];
  const check = (isGood: boolean, problem: string): void => {
    if (!isGood) problems.push(problem);
  };
  check(unique.length > 0, 'nothing is stored');
  const again = frames.filter(({ number }, index) => frames[index - 1]?.number === number);
  check(
    duplicates === 0,
    `${duplicates} frames or fragments are stored twice: ${again.map(describeFrame).join(', ')}`,
  );
  check(vanished === 0, `${vanished} frames that were received are neither stored nor missed`);
  const told = new Set(claims.map(describeFragment));
  const found = new Set(fragments.map(describeFragment));
  const absent = [...told].filter((claim) => !found.has(claim));
  check(absent.length === 0, `told as persisted, not so in the archive: ${absent.join(', ')}`);
  const strangers = unique.filter(({ number }) => !sent.some((stream) => isIn(stream, number)));
  check(strangers.length === 0, `${strangers.length} stored frames were never sent`);
  const backwards = unique.filter(({ atMs }, index) => atMs < (unique[index - 1]?.atMs ?? 0));
  check(backwards.length === 0, `time goes back at ${backwards.length} frames`);
  check(tailFrames <= maxTailFrames, `the last ${tailFrames} frames sent are not stored`);
  check(ledger.corruptLines === 0, `${ledger.corruptLines} lines of the ledger cannot be read`);
  const { pending } = ledger.videoFrames;
  check(pending === 0, `the ledger has ${pending} frames pending`);
  for (const hole of unlisted) problems.push(`the ledger says nothing of ${describeHole(hole)}`);
  const total = sent.reduce((sum, stream) => sum + stream.frames, 0);
  const unaccounted = unlisted.reduce((sum, { frames: missing }) => sum + missing, vanished);
  return {
    sent: total,
    stored: unique.length,
    duplicates,
    unaccounted,
    holes,
    claims: told.size,
    falseClaims: absent.length,
    misshown: unique.filter(({ shown }) => shown !== undefined).map(describeMisshown),
    problems,
  };
}

function describeFrame({ number, atMs }: StoredFrame): string {
  return `${String(number)} at ${new Date(atMs).toISOString()}`;
}

function describeMisshown({ number, shown, bytes, atMs }: StoredFrame): string {
  return `${describeFrame({ number, atMs })} of ${String(bytes)} bytes shows ${String(shown)}`;
}

function describeFragment({ timecodeMs, videoFrames }: Claim): string {
  return `${String(timecodeMs)} with ${String(videoFrames)} frames`;
}

export function describeHole({ after, before, frames, unlistedMs, causes }: Hole): string {
  const span = `${Math.round(before.atMs - after.atMs)} ms from ${new Date(after.atMs).toISOString()}`;
  const listed = causes.length === 0 ? '' : `, listed as ${causes.join(', ')}`;
  return `${span}, ${frames} frames (${after.number} to ${before.number})${listed}, ${Math.round(unlistedMs)} ms unlisted`;
}

/** A master that was killed sent more than it told: as much at least as is stored. */
function extended(
  streams: readonly SentNumbers[],
  stored: readonly StoredFrame[],
): readonly SentNumbers[] {
  const ordered = streams.toSorted((a, b) => a.first - b.first);
  return ordered.map(({ first, frames }, index) => {
    const end = ordered[index + 1]?.first ?? Infinity;
    const last = stored.findLast(({ number }) => number >= first && number < end);
    return { first, frames: Math.max(frames, last === undefined ? 0 : last.number - first + 1) };
  });
}

function isIn({ first, frames }: SentNumbers, number: number): boolean {
  return number >= first && number < first + frames;
}

/** Numbers that were sent, both ends left out. */
function countBetween(sent: readonly SentNumbers[], after: number, before: number): number {
  return sent.reduce((sum, { first, frames }) => {
    const from = Math.max(first, after + 1);
    const to = Math.min(first + frames, before);
    return sum + Math.max(0, to - from);
  }, 0);
}

function holesIn(
  stored: readonly StoredFrame[],
  sent: readonly SentNumbers[],
  ledger: readonly Gap[],
): readonly Hole[] {
  return stored.slice(1).flatMap((before, index) => {
    const after = stored[index] ?? before;
    const frames = countBetween(sent, after.number, before.number);
    if (frames === 0 && before.atMs - after.atMs <= maxStepMs) return [];
    const fromMs = after.atMs + frameMs;
    const listed = ledger.filter((gap) => gap.fromMs < before.atMs && gap.toMs > fromMs);
    return [
      {
        after,
        before,
        frames,
        unlistedMs: uncoveredMs(fromMs, before.atMs, listed),
        causes: [...new Set(listed.map(({ cause }) => cause))],
      },
    ];
  });
}

function uncoveredMs(fromMs: number, toMs: number, gaps: readonly Gap[]): number {
  let uncovered = 0;
  let reachedMs = fromMs;
  for (const gap of gaps.toSorted((a, b) => a.fromMs - b.fromMs)) {
    uncovered += Math.max(0, Math.min(gap.fromMs, toMs) - reachedMs);
    reachedMs = Math.max(reachedMs, gap.toMs);
  }
  return uncovered + Math.max(0, toMs - reachedMs);
}
