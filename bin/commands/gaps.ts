/** `kvs-bridge gaps` */
import { readGaps } from '../../lib/index.js';
import type { Gap, GapReport } from '../../lib/index.js';
import type { commandOptions } from '../cli/command-options.js';
import type { Values } from '../cli/option-table.js';
import type { CommandContext } from '../cli/command-context.js';
import { required } from '../cli/settings.js';

type GapsSettings = Values<(typeof commandOptions.gaps)[number]>;

/** Prints what is missing in a stream, and why. */
export async function runGaps(settings: GapsSettings, { output }: CommandContext): Promise<void> {
  const { since, spoolDir } = settings;
  const report = await readGaps({
    stream: required('stream', settings.stream),
    ...(spoolDir === undefined ? {} : { spoolDir }),
    ...(since === undefined ? {} : { sinceMs: since }),
  });
  if (output.json) {
    for (const gap of report.gaps) output.event('gap', gapFields(gap), '');
    output.event('summary', summaryFields(report), '');
    return;
  }
  for (const line of [...tableLines(report.gaps), ...summaryLines(report)]) output.print(line);
}

function gapFields({ fromMs, toMs, cause, videoFramesLost, open }: Gap): object {
  return {
    ...{ fromMs, toMs, from: isoOf(fromMs), to: isoOf(toMs), gapMs: toMs - fromMs },
    ...{ cause, videoFramesLost, open },
  };
}

function summaryFields(report: GapReport): object {
  const { stream, fromMs, toMs, gaps, gapMs, availability, videoFrames, corruptLines } = report;
  const time = toMs === 0 ? {} : { from: isoOf(fromMs), to: isoOf(toMs) };
  return {
    ...{ stream, ...time, lengthMs: toMs - fromMs, gaps: gaps.length, gapMs, availability },
    framesReceived: videoFrames.received,
    framesStored: videoFrames.stored,
    framesLost: videoFrames.lost,
    framesPending: videoFrames.pending,
    corruptLines,
  };
}

/** The gaps as a table with a heading; no lines without gaps. */
function tableLines(gaps: readonly Gap[]): readonly string[] {
  if (gaps.length === 0) return [];
  const rows = [
    ['from', 'to', 'length', 'cause', 'frames lost'],
    ...gaps.map(({ fromMs, toMs, cause, videoFramesLost, open }) => [
      isoOf(fromMs),
      open ? '…' : isoOf(toMs),
      durationText(toMs - fromMs),
      cause,
      String(videoFramesLost),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      // Numbers stand at the right.
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 2 || column === 4 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  '),
  );
}

function summaryLines(report: GapReport): readonly string[] {
  const { stream, fromMs, toMs, gaps, gapMs, availability, videoFrames, corruptLines } = report;
  if (toMs === 0) return [`${stream}: nothing is stored yet.`];
  const { received, stored, lost, pending } = videoFrames;
  return [
    ...(gaps.length === 0 ? [] : ['']),
    `${stream}: ${percentText(availability)} of ${durationText(toMs - fromMs)} stored, ` +
      `${countText(gaps.length, 'gap')} of ${durationText(gapMs)} together`,
    `${countText(received, 'frame')} received: ${stored} stored, ${lost} lost, ${pending} pending`,
    ...(corruptLines === 0
      ? []
      : [`${countText(corruptLines, 'line')} of the ledger cannot be read: more may be stored`]),
  ];
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Never 100 % with a gap. */
function percentText(share: number): string {
  const percent = Math.floor(share * 1_000_000) / 10_000;
  return `${percent} %`;
}

/** Such as `2 d 3 h`, `4 min 5 s` or `0.320 s`. */
function durationText(durationMs: number): string {
  const seconds = durationMs / 1_000;
  if (seconds < 60) return `${seconds.toFixed(3)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
