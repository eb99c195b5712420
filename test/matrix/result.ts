/** What was measured of a row, and whether it is good. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeComplaints, largestGapMs } from '../support/stored-media.js';
import type { StoredMedia, TestPattern } from '../support/stored-media.js';
import type { SinkName } from '../support/sinks.js';
import type { MatrixRow } from './row.js';

/** One line of the table. */
export interface RowResult {
  readonly row: string;
  readonly sink: SinkName;
  /** Why it was not run; then nothing else is known. */
  readonly notRun?: string;
  readonly figures?: RowFigures;
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

/** Counts of frames of the leading track: video, or audio where there is no video. */
export interface RowFigures {
  readonly sent?: number;
  readonly received: number;
  readonly lost: number;
  readonly stored: number;
  readonly decoded: number;
  readonly largestGapMs: number;
  /** Without a flash and a tick to compare there is none. */
  readonly largestSkewMs?: number;
  /** Fragments of less than a second; the last of the recording does not count. */
  readonly tooShort: number;
  /** Fragments of more than 20 s. */
  readonly tooLong: number;
  readonly decodeErrors: number;
  /** Code of the error with which the Bridge ended. */
  readonly endedWith?: string;
}

/** What {@link figuresOf} is made from. */
export interface Measured {
  readonly sent: number | undefined;
  readonly received: number;
  readonly lost: number;
  readonly stored: number;
  readonly media: StoredMedia;
  readonly pattern: TestPattern | undefined;
  readonly endedWith: string | undefined;
}

const shortestMs = 1_000;
const longestMs = 20_000;
const maxSkewMs = 40;

/**
 * How long a busy machine may hold up a sender, whose frames that are stored follow on one another
 * by their counters: nothing between them was lost, they were sent that far apart.
 */
const busySenderMs = 1_000;

export function figuresOf(measured: Measured): RowFigures {
  const { sent, received, lost, stored, media, pattern, endedWith } = measured;
  const { fragments } = media;
  const hasVideo = fragments.some(({ videoMs }) => videoMs.length > 0);
  const skews = pattern?.skewsMs ?? [];
  return {
    ...(sent === undefined || !hasVideo ? {} : { sent }),
    received,
    lost,
    stored,
    decoded: fragments.reduce(
      (sum, { videoMs, audioMs }) => sum + (hasVideo ? videoMs : audioMs).length,
      0,
    ),
    largestGapMs: Math.round(largestGapMs(media)),
    ...(skews.length === 0 ? {} : { largestSkewMs: Math.round(Math.max(...skews.map(Math.abs))) }),
    tooShort: fragments.slice(0, -1).filter(({ lengthMs }) => lengthMs < shortestMs).length,
    tooLong: fragments.filter(({ lengthMs }) => lengthMs > longestMs).length,
    decodeErrors: decodeComplaints(media).length,
    ...(endedWith === undefined ? {} : { endedWith }),
  };
}

/** What a row's figures have against what is expected of it. */
export function faultsOf(
  { expect }: MatrixRow,
  figures: RowFigures,
  pattern: TestPattern | undefined,
): readonly string[] {
  const { endedWith, received, stored, decoded, lost, largestGapMs: gapMs } = figures;
  const faults: string[] = [];
  const check = (isGood: boolean, fault: string): void => {
    if (!isGood) faults.push(fault);
  };
  const wanted = expect.endsWith;
  if (wanted === undefined) check(endedWith === undefined, `ended with ${endedWith ?? ''}`);
  else check(wanted.includes(endedWith ?? ''), `ended with ${endedWith ?? 'no error'}`);
  check(wanted !== undefined || stored > 0, 'nothing stored');
  check(figures.decodeErrors === 0, `${figures.decodeErrors} files decode with errors`);
  check(figures.tooShort === 0, `${figures.tooShort} fragments under 1 s`);
  check(figures.tooLong === 0, `${figures.tooLong} fragments over 20 s`);
  check(decoded === stored, `${decoded} frames decode of ${stored} stored`);
  check(stored + lost === received, `${received} received, yet ${stored} stored and ${lost} lost`);
  check(lost <= expect.maxLostFrames, `${lost} frames lost`);
  const isSendersOwn = pattern?.missing === 0;
  const maxGapMs = expect.maxGapMs + (isSendersOwn ? busySenderMs : 0);
  check(gapMs <= maxGapMs, `a gap of ${gapMs} ms`);
  const skewMs = figures.largestSkewMs ?? 0;
  check(skewMs <= (expect.maxSkewMs ?? maxSkewMs), `A/V skew of ${skewMs} ms`);
  const missing = pattern?.missing ?? 0;
  check(missing <= (expect.maxMissingFrames ?? Infinity), `${missing} frames never arrived`);
  check((pattern?.repeated ?? 0) === 0, `${pattern?.repeated ?? 0} frames repeated`);
  return faults;
}

/** Results in a folder, a file of JSON lines per sink; the newest of a row counts. */
export class ResultStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(result: RowResult): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await appendFile(this.#file(result.sink), `${JSON.stringify(result)}\n`);
  }

  async read(sink: SinkName): Promise<ReadonlyMap<string, RowResult>> {
    const text = await readFile(this.#file(sink), 'utf8').catch(() => '');
    const results = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RowResult);
    return new Map(results.map((result) => [result.row, result]));
  }

  #file(sink: SinkName): string {
    return join(this.#folder, `${sink}.jsonl`);
  }
}
