/** The lines of a ledger file, each one JSON object; all times are Unix epoch ms. */
import * as v from 'valibot';
import { GapCause } from './gap-causes.js';

const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const cause = v.picklist(Object.values(GapCause));
const runId = v.pipe(v.string(), v.nonEmpty(), v.maxLength(64));

/** Who wrote it: a run of a Bridge, whose lines count up from 1. A line of the same number counts once. */
const origin = { run: runId, seq: v.pipe(count, v.minValue(1)), atMs: time };
/** Which session of the run it is about, from 1. */
const session = {
  session: v.pipe(count, v.minValue(1)),
  /** The session's run, when another writes for it. */
  of: v.exactOptional(runId),
};
/** Of what was received by a session before that one: whose it was, as far as that is known. */
const recovery = {
  recovered: v.exactOptional(v.literal(true)),
  owner: v.exactOptional(v.strictObject({ run: runId, session: v.pipe(count, v.minValue(1)) })),
};
const interval = { fromMs: time, toMs: time };

const accountFields = {
  run: runId,
  session: v.pipe(count, v.minValue(1)),
  /** Where its media begins; absent while it had none. */
  fromMs: v.exactOptional(time),
  /** Its newest frame; absent while it had none. */
  newestMs: v.exactOptional(time),
  /** Video frames. */
  received: count,
  stored: count,
  lost: count,
  /** Why it ended; absent while it runs. */
  endCause: v.exactOptional(cause),
  /** Media of its own was stored. */
  storing: v.exactOptional(v.literal(true)),
  /** A later session's was. */
  overtaken: v.exactOptional(v.literal(true)),
  /** When it was last heard of. */
  lastMs: time,
};

/** Below zero where gaps were forgotten. */
const pastCount = v.pipe(v.number(), v.safeInteger());

const line = v.variant('type', [
  /** A Bridge began to run. */
  v.strictObject({ type: v.literal('begin'), ...origin, pid: count }),
  /** A media session began. */
  v.strictObject({ type: v.literal('session'), ...origin, ...session }),
  /** How much it received so far. */
  v.strictObject({
    type: v.literal('seen'),
    ...origin,
    ...session,
    received: count,
    newestMs: time,
  }),
  /** A fragment was persisted. */
  v.strictObject({
    type: v.literal('stored'),
    ...origin,
    ...session,
    ...interval,
    frames: count,
    ...recovery,
  }),
  /** The pipeline left a hole, and dropped these frames in it. */
  v.strictObject({
    type: v.literal('hole'),
    ...origin,
    ...session,
    ...interval,
    frames: count,
    cause,
  }),
  /** A fragment was lost on its way to KVS. */
  v.strictObject({
    type: v.literal('lost'),
    ...origin,
    ...session,
    ...interval,
    frames: count,
    cause,
    ...recovery,
  }),
  /** From now on nothing is received, for this cause; null: media arrives again. */
  v.strictObject({
    type: v.literal('obstacle'),
    ...origin,
    cause: v.nullable(cause),
    /** Since when, where that was noticed late. */
    sinceMs: v.exactOptional(time),
  }),
  /** The machine's clock was set. */
  v.strictObject({
    type: v.literal('clock'),
    ...origin,
    byMs: v.pipe(v.number(), v.integer()),
  }),
  /** A session is over. */
  v.strictObject({
    type: v.literal('ended'),
    ...origin,
    ...session,
    received: count,
    newestMs: time,
    cause,
  }),
  /** The Bridge ended in order. */
  v.strictObject({ type: v.literal('end'), ...origin }),

  /** Of a compacted file, before all others. */
  v.strictObject({
    type: v.literal('compacted'),
    /** Frames of sessions that are settled. */
    past: v.strictObject({ received: pastCount, stored: pastCount, lost: pastCount }),
    /** By how much the clock was set since media of a new session was first stored. */
    clockByMs: v.pipe(v.number(), v.safeInteger()),
    /** When the last line was written. */
    lastMs: time,
  }),
  /** A run of a Bridge that may write more: its lines up to this number are taken in. */
  v.strictObject({
    type: v.literal('run'),
    run: runId,
    seq: count,
    lastMs: time,
    /** When the run after it began. */
    followedMs: v.exactOptional(time),
    over: v.exactOptional(v.literal(true)),
    /** Lines before `seq` that may still come, out of order. */
    missing: v.exactOptional(v.array(count)),
    obstacle: v.exactOptional(v.strictObject({ cause, fromMs: time })),
  }),
  /** Persisted media; frames are in the accounts. */
  v.strictObject({ type: v.literal('kept'), ...interval }),
  /** A gap that is final. */
  v.strictObject({ type: v.literal('gap'), ...interval, frames: count, cause }),
  /** Frames of lost fragments, whose gap is not final. */
  v.strictObject({ type: v.literal('loss'), ...interval, frames: count, cause }),
  /** A cause was at work. */
  v.strictObject({ type: v.literal('caused'), ...interval, cause }),
  v.strictObject({ type: v.literal('account'), ...accountFields }),
]);

/** A line of a ledger. */
export type LedgerLine = v.InferOutput<typeof line>;

/** A line that a running Bridge writes. */
export type WrittenLine = Extract<LedgerLine, { readonly atMs: number }>;

/** What a Bridge has to say; the writer adds its run, the line's number and the time. */
export type LedgerEntry = WrittenLine extends infer Line
  ? Line extends WrittenLine
    ? Omit<Line, 'run' | 'seq' | 'atMs'>
    : never
  : never;

/** Lines that stand for many others. */
export type CompactedLine = Exclude<LedgerLine, WrittenLine>;

/** What is known of a run. */
export type RunRecord = Omit<Extract<LedgerLine, { readonly type: 'run' }>, 'type'>;

/** What is known of a session. */
export type SessionRecord = Omit<Extract<LedgerLine, { readonly type: 'account' }>, 'type'>;

/** Reads one line; undefined when it is not one. */
export function parseLedgerLine(text: string): LedgerLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(line, value);
  if (!result.success) return undefined;
  const { output } = result;
  if (!('fromMs' in output) || !('toMs' in output)) return output;
  return output.toMs < output.fromMs ? undefined : output;
}
