/** What was measured of each fault and scenario; kept, so that docs/faults.md can be made of several runs. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunReport } from './run.js';
import type { ScenarioOutcome } from './scenarios/scenario.js';

/** A line of the table. */
export interface FaultResult {
  /** Of the fault. */
  readonly id: string;
  /** Why it was not run; then nothing else is known. */
  readonly notRun?: string;
  readonly figures?: FaultFigures;
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[];
}

export interface FaultFigures {
  readonly heldSeconds: number;
  readonly detectedMs?: number;
  readonly recoveredMs?: number;
  readonly sent: number;
  readonly received: number;
  readonly stored: number;
  readonly duplicates: number;
  /** Frames that are neither stored nor in the ledger. */
  readonly unaccounted: number;
  /** Of what is not stored between the first and the last stored frame. */
  readonly missingFrames: number;
  readonly gapMs: number;
  readonly causes: readonly string[];
}

/** A scenario's part of docs/faults.md. */
export interface ScenarioResult extends Pick<ScenarioOutcome, 'findings' | 'problems'> {
  /** Of the scenario. */
  readonly id: string;
}

/** What a run with a single fault tells of it. */
export function resultOf(id: string, report: RunReport): FaultResult {
  const [notRun] = report.skipped;
  if (notRun !== undefined) return { id, notRun, problems: [] };
  const [happened] = report.schedule;
  const { sent, stored, duplicates, unaccounted, holes } = report.verdict;
  const { detectedMs, recoveredMs } = happened ?? {};
  return {
    id,
    figures: {
      heldSeconds: happened?.heldSeconds ?? 0,
      ...(detectedMs === undefined ? {} : { detectedMs }),
      ...(recoveredMs === undefined ? {} : { recoveredMs }),
      sent,
      received: report.bridge.received,
      stored,
      duplicates,
      unaccounted,
      missingFrames: holes.reduce((sum, { frames }) => sum + frames, 0),
      gapMs: holes.reduce((sum, { after, before }) => sum + before.atMs - after.atMs, 0),
      causes: [...new Set(holes.flatMap(({ causes }) => causes))],
    },
    problems: report.problems,
  };
}

/** Results in a file of JSON lines; the newest of an id counts. */
export class ResultStore<T extends { readonly id: string }> {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async add(result: T): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    await appendFile(this.#file, `${JSON.stringify(result)}\n`);
  }

  async read(): Promise<ReadonlyMap<string, T>> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    const results = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
    return new Map(results.map((result) => [result.id, result]));
  }
}
