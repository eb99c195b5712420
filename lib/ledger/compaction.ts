/** Says what a ledger says in fewer lines, and forgets what is too old. Pure. */
import type { CausedInterval } from './gap-causes.js';
import type { Gap, LostFrames } from './gap-list.js';
import { without } from './interval-set.js';
import type { Interval } from './interval-set.js';
import type { CompactedLine, RunRecord } from './ledger-lines.js';
import { GapCause } from './gap-causes.js';
import { receivedOf, remainderOf } from './session-accounts.js';
import type { SessionAccount } from './session-accounts.js';

/** How much a ledger keeps. */
export interface CompactionLimits {
  /** What ended before this is forgotten, Unix epoch ms. */
  readonly forgetBeforeMs: number;
  /** Most gaps; the oldest are forgotten. */
  readonly maxGaps: number;
  /** Gaps that ended before this are final, Unix epoch ms: nothing that is left on disk is older. */
  readonly finalBeforeMs: number;
}

/** All that a ledger knows. */
export interface LedgerContent {
  readonly stored: readonly Interval[];
  readonly cuts: readonly LostFrames[];
  readonly losses: readonly LostFrames[];
  readonly causes: readonly CausedInterval[];
  /** What follows from the above and the accounts. */
  readonly gaps: readonly Gap[];
  readonly accounts: readonly {
    readonly account: SessionAccount;
    readonly isSettled: boolean;
    /** Its run writes no more. */
    readonly isGone: boolean;
  }[];
  readonly past: { readonly received: number; readonly stored: number; readonly lost: number };
  readonly clockByMs: number;
  readonly runs: readonly RunRecord[];
  readonly lastMs: number;
}

/** Frames this close to a boundary are not told apart from it, in ms. */
const marginMs = 5_000;

/** The lines that stand for `content`. */
export function compactLedger(
  content: LedgerContent,
  limits: CompactionLimits,
): readonly CompactedLine[] {
  const finalMs = finalTimeMs(content, limits);
  const firstMs = firstTimeMs(content, limits, finalMs);
  const closed = content.gaps.filter(({ open }) => !open);
  const isFinal = ({ toMs }: Interval): boolean => toMs <= finalMs;
  const final = closed.filter(isFinal);
  const kept = final.filter(({ toMs }) => toMs > firstMs);
  const forgotten = framesIn(final) - framesIn(kept);
  const isFolded = isFoldedBefore(finalMs);
  const past = { ...content.past };
  for (const entry of content.accounts.filter(isFolded)) {
    past.received += receivedOf(entry.account);
    past.stored += entry.account.stored;
    past.lost += entry.account.lost + remainderOf(entry.account);
  }
  past.received -= forgotten;
  past.lost -= forgotten;
  return [
    { type: 'compacted', past, clockByMs: content.clockByMs, lastMs: content.lastMs },
    ...content.runs.map((run) => ({ type: 'run', ...run }) as const),
    ...keptMedia(content, firstMs, finalMs),
    ...kept.map(
      ({ fromMs, toMs, cause, videoFramesLost: frames }) =>
        ({ type: 'gap', fromMs: Math.max(fromMs, firstMs), toMs, cause, frames }) as const,
    ),
    ...content.cuts.filter((cut) => !isFinal(cut)).map((cut) => ({ type: 'gap', ...cut }) as const),
    ...content.losses
      .filter((loss) => !isFinal(loss))
      .map((loss) => ({ type: 'loss', ...loss }) as const),
    ...content.causes
      .filter((caused) => !isFinal(caused))
      .map((caused) => ({ type: 'caused', ...caused }) as const),
    ...content.accounts.filter((entry) => !isFolded(entry) && !isEmpty(entry)).map(toLine),
  ];
}

/**
 * Until when everything is final: no gap goes on there, no session may get more of its media before
 * it, and none ended so close to it that it is unclear on which side its last frames are missing.
 * What lies before is one stretch of media with gaps in it.
 */
function finalTimeMs(content: LedgerContent, { finalBeforeMs }: CompactionLimits): number {
  const { stored, gaps, cuts, losses, accounts } = content;
  let finalMs = Math.min(finalBeforeMs, stored.at(-1)?.toMs ?? -Infinity);
  const unclear = accounts.map(({ account, isSettled }): Interval => {
    const { fromMs = Infinity, newestMs = account.lastMs } = account;
    if (!isSettled) return { fromMs: fromMs - marginMs, toMs: Infinity };
    return { fromMs: newestMs - marginMs, toMs: newestMs + marginMs };
  });
  const stretches: readonly Interval[] = [...gaps, ...cuts, ...losses, ...unclear];
  // The latest first: one that was passed cannot reach what it is moved to.
  for (const { fromMs, toMs } of stretches.toSorted((a, b) => b.toMs - a.toMs)) {
    if (fromMs < finalMs && toMs > finalMs) finalMs = fromMs;
  }
  return finalMs;
}

/** From when on anything is remembered. */
function firstTimeMs(
  { gaps }: LedgerContent,
  { forgetBeforeMs, maxGaps }: CompactionLimits,
  finalMs: number,
): number {
  const newest = gaps[gaps.length - maxGaps - 1];
  const firstMs = Math.max(forgetBeforeMs, newest?.toMs ?? -Infinity);
  // Nothing is forgotten that is not final.
  return Math.min(firstMs, finalMs);
}

function keptMedia(
  { stored, gaps }: LedgerContent,
  firstMs: number,
  finalMs: number,
): readonly CompactedLine[] {
  const beginMs = Math.min(stored[0]?.fromMs ?? Infinity, gaps[0]?.fromMs ?? Infinity);
  const final = { fromMs: Math.max(beginMs, firstMs), toMs: finalMs };
  const later = without(stored, [{ fromMs: -Infinity, toMs: finalMs }]);
  return [...(final.fromMs < final.toMs ? [final] : []), ...later].map(
    ({ fromMs, toMs }) => ({ type: 'kept', fromMs, toMs }) as const,
  );
}

function isFoldedBefore(timeMs: number) {
  return ({ account, isSettled }: LedgerContent['accounts'][number]): boolean =>
    isSettled && (account.newestMs ?? account.lastMs) <= timeMs;
}

/** A session that waited for a master in vain. */
function isEmpty({ account, isGone }: LedgerContent['accounts'][number]): boolean {
  return receivedOf(account) === 0 && (isGone || account.endCause !== undefined);
}

function framesIn(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { videoFramesLost }) => sum + videoFramesLost, 0);
}

function toLine({ account, isGone }: LedgerContent['accounts'][number]): CompactedLine {
  const { run, session, fromMs, newestMs, received, stored, lost, lastMs } = account;
  const endCause = account.endCause ?? (isGone ? GapCause.restart : undefined);
  return {
    type: 'account',
    ...{ run, session, received, stored, lost, lastMs },
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(newestMs === undefined ? {} : { newestMs }),
    ...(endCause === undefined ? {} : { endCause }),
    ...(account.isStoring ? { storing: true } : {}),
    ...(account.isOvertaken ? { overtaken: true } : {}),
  };
}
