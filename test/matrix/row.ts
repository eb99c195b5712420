/** What a row of the matrix is: one kind of sender, and what is expected of its recording. */
import type { KvsBridgeOptions, LocalKvsOptions } from '../../lib/index.js';
import type { LocalStack } from '../support/local-stack.js';

/** A master that sends. */
export interface RunningSource extends AsyncDisposable {
  /** Video frames sent so far; undefined when the source cannot tell. */
  framesSent(): Promise<number | undefined>;
}

/** Bounds that a recording keeps to. */
export interface Expectation {
  /** Largest gap between stored frames of the leading track, in ms. */
  readonly maxGapMs: number;
  /** Video frames that may be received and not stored. */
  readonly maxLostFrames: number;
  /** Numbers of the test picture that no stored frame shows. @defaultValue any number */
  readonly maxMissingFrames?: number;
  /** Between flash and tick, in ms. @defaultValue 40 */
  readonly maxSkewMs?: number;
  /** Codes of the errors with which the Bridge may end, one of which it has to. */
  readonly endsWith?: readonly string[];
}

/** One kind of sender. */
export interface MatrixRow<TSource extends RunningSource = RunningSource> {
  /** Short and stable: `--only` selects by parts of it. */
  readonly id: string;
  /** As the table has it. */
  readonly title: string;
  /** The heading under which it stands. */
  readonly group: string;
  /** How long it sends after the first fragment was persisted, in ms. */
  readonly durationMs: number;
  /** Whether it sends this project's test picture, with a counter and a flash in it. */
  readonly hasTestPicture: boolean;
  readonly expect: Expectation;
  readonly kvs?: Partial<LocalKvsOptions>;
  readonly bridge?: Partial<KvsBridgeOptions>;
  /** Why it cannot run on this machine. */
  readonly missing?: () => string | undefined;
  readonly start: (stack: LocalStack) => Promise<TSource>;
  /** What happens while it sends, step by step. */
  readonly script?: readonly ScriptStep<TSource>[];
}

/** A step of a row's script. */
export interface ScriptStep<TSource> {
  /** After the first fragment was persisted, in ms. */
  readonly atMs: number;
  readonly act: (source: TSource) => Promise<void> | void;
}

/** What most recordings keep to: no frame is missing. */
export const nothingLost: Expectation = {
  maxGapMs: 250,
  maxLostFrames: 0,
  maxMissingFrames: 0,
};

/** Of a sender that pauses: a gap as long as the pause, and some time for the next keyframe. */
export function pauseOf(pauseMs: number): Expectation {
  return { maxGapMs: pauseMs + 1_500, maxLostFrames: 30 };
}

/** So long a jitter buffer, in ms, that a busy machine does not look like a bad network. */
export const patientJitterBufferMs = 1_000;

/** Makes a row whose script knows its own source; the list of rows need not. */
export function matrixRow<TSource extends RunningSource>(row: MatrixRow<TSource>): MatrixRow {
  // Only `measure` calls the script, with what `start` of the same row made.
  return row as unknown as MatrixRow;
}
