/** What is missing in a stream, read from its ledger. */
import { ErrorCode, KvsBridgeError } from '../util/errors.js';
import type { Gap } from './gap-list.js';
import { overlapMs } from './interval-set.js';
import { Ledger } from './ledger.js';
import type { FrameCounts } from './ledger.js';
import { ledgerPath, readLedgerFile } from './read-ledger.js';

/** Options of {@link readGaps}. */
export interface ReadGapsOptions {
  readonly stream: string;
  /** As of the Bridge that records, see {@link KvsBridgeOptions.spoolDir}. */
  readonly spoolDir?: string;
  /** Only what ended after this, Unix epoch ms. @defaultValue everything */
  readonly sinceMs?: number;
}

/** What became of a stream's media. */
export interface GapReport {
  readonly stream: string;
  /** The first frame, or `sinceMs` when that is later, Unix epoch ms; 0 without any. */
  readonly fromMs: number;
  /** Until when it is told: the end of the newest persisted media, or of a gap that goes on. */
  readonly toMs: number;
  /** In order of time; no two overlap. */
  readonly gaps: readonly Gap[];
  /** Sum of the gaps within the time that is told, in ms. */
  readonly gapMs: number;
  /** Share of that time that is stored, 0 to 1; 1 when there is none. */
  readonly availability: number;
  /** Of all time: `received` is the sum of the others. */
  readonly videoFrames: FrameCounts;
  /** Lines of the ledger that cannot be read: more may be stored than is told. */
  readonly corruptLines: number;
}

/**
 * Reads the ledger that a Bridge keeps, also while it runs.
 *
 * @throws {@link KvsBridgeError} `KVSB_DATA_FOLDER`, there is none, or it cannot be read
 */
export async function readGaps(options: ReadGapsOptions): Promise<GapReport> {
  const { stream, spoolDir, sinceMs = 0 } = options;
  const path = ledgerPath(spoolDir, stream);
  const contents = await readLedgerFile(path).catch((error: unknown) => {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new KvsBridgeError(
      ErrorCode.dataFolder,
      `The ledger ${path} cannot be read (${reason})`,
      {
        cause: error,
        fix: 'Run as the user that records, or correct the permissions.',
      },
    );
  });
  if (contents === undefined) {
    throw new KvsBridgeError(
      ErrorCode.dataFolder,
      `There is no ledger of stream ${stream}: ${path} does not exist`,
      { fix: 'Check --stream, and give the --spool-dir that the recording bridge has.' },
    );
  }
  const ledger = new Ledger();
  for (const line of contents.lines) ledger.apply(line);
  const gaps = ledger.gaps(Date.now()).filter(({ toMs }) => toMs > sinceMs);
  const { range } = ledger;
  const time = {
    fromMs: Math.max(range?.fromMs ?? 0, sinceMs),
    toMs: Math.max(range?.toMs ?? 0, gaps.at(-1)?.toMs ?? 0, sinceMs),
  };
  const lengthMs = range === undefined ? 0 : time.toMs - time.fromMs;
  const gapMs = gaps.reduce((sum, gap) => sum + overlapMs(gap, time), 0);
  return {
    stream,
    ...time,
    gaps,
    gapMs,
    availability: lengthMs === 0 ? 1 : Math.max(0, 1 - gapMs / lengthMs),
    videoFrames: ledger.frames(),
    corruptLines: contents.corrupt.length,
  };
}
