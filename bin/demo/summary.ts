/** The demo's result: what was sent, received and stored, and what the recording shows. */
import type { BridgeTotals, RecordingAnalysis } from '../../lib/index.js';

/** The `summary` event. */
export interface DemoSummary {
  /** Path of the recording; null when nothing was persisted. */
  readonly recording: string | null;
  /** Further files: one more begins after each change of codec. */
  readonly moreFiles: readonly string[];
  /** Video frames that the master handed to its connection. */
  readonly framesSent: number;
  readonly framesReceived: number;
  /** Video frames in fragments that were confirmed as PERSISTED. */
  readonly framesStored: number;
  readonly framesLost: number;
  readonly fragmentsPersisted: number;
  /** From `start` to the first PERSISTED, in ms. */
  readonly firstPersistedMs: number | null;
  // From decoding the recording:
  readonly framesInRecording: number;
  /** Burned-in frame counters that are missing between the first and the last. */
  readonly countersMissing: number;
  /** Frames whose burned-in counter is not above the one before. */
  readonly countersRepeated: number;
  /**
   * Largest distance between the timestamps of consecutive video frames, the ordinary distance
   * (33 ms at 30 frames a second) included.
   */
  readonly maxVideoGapMs: number | null;
  /** Median of tone minus flash, measured; above zero, the sound is late. */
  readonly avSkewMs: number | null;
  /** The second of the recording in which they are furthest apart. */
  readonly avSkewWorstMs: number | null;
}

/** The files of a recording, and what each shows. A change of codec begins a new file. */
export interface DemoRecording {
  readonly paths: readonly string[];
  readonly analyses: readonly RecordingAnalysis[];
}

/** What a summary is made from. */
export interface DemoResult {
  readonly framesSent: number;
  readonly totals: BridgeTotals;
  readonly firstPersistedMs: number | undefined;
  readonly recording: DemoRecording | undefined;
}

/** Puts the parts together. */
export function summarize(result: DemoResult): DemoSummary {
  const { framesSent, totals, firstPersistedMs, recording } = result;
  const { paths = [], analyses = [] } = recording ?? {};
  const longest = analyses.reduce<RecordingAnalysis | undefined>(
    (best, next) => (best === undefined || next.avPairs > best.avPairs ? next : best),
    undefined,
  );
  return {
    recording: paths[0] ?? null,
    moreFiles: paths.slice(1),
    framesSent,
    framesReceived: totals.videoFramesReceived,
    framesStored: totals.videoFramesStored,
    framesLost: totals.videoFramesLost,
    fragmentsPersisted: totals.fragmentsPersisted,
    firstPersistedMs: tenths(firstPersistedMs),
    framesInRecording: sum(analyses.map(({ videoFrames }) => videoFrames)),
    countersMissing:
      sum(analyses.map(({ missingCounters }) => missingCounters)) + missingBetween(analyses),
    countersRepeated: sum(analyses.map(({ repeatedCounters }) => repeatedCounters)),
    maxVideoGapMs:
      longest === undefined
        ? null
        : tenths(Math.max(...analyses.map(({ maxVideoGapMs }) => maxVideoGapMs))),
    avSkewMs: tenths(longest?.avSkewMs),
    avSkewWorstMs: tenths(longest?.avSkewWorstMs),
  };
}

function tenths(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 10) / 10;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Counters that neither the end of one file nor the beginning of the next shows. */
function missingBetween(analyses: readonly RecordingAnalysis[]): number {
  return sum(
    analyses.slice(1).map(({ firstCounter }, index) => {
      const lastCounter = analyses[index]?.lastCounter ?? firstCounter;
      return Math.max(0, firstCounter - lastCounter - 1);
    }),
  );
}

/** The summary for people. */
export function summaryLines(summary: DemoSummary): readonly string[] {
  const { recording, framesSent, framesReceived, framesStored, framesLost } = summary;
  if (recording === null) return ['', 'Nothing was persisted, so there is no recording.'];
  const counters =
    summary.countersMissing + summary.countersRepeated === 0
      ? 'each burned-in number once, without a gap'
      : `${summary.countersMissing} burned-in numbers missing, ${summary.countersRepeated} repeated`;
  const missing = Math.max(0, framesSent - framesReceived);
  const arrival = missing === 0 ? '' : ` (${missing} did not arrive)`;
  const skew =
    summary.avSkewMs === null ? 'not measured' : `${summary.avSkewMs} ms between flash and tone`;
  return [
    '',
    `Frames      ${framesSent} sent, ${framesReceived} received${arrival}, ${framesStored} stored, ${framesLost} lost`,
    `Fragments   ${summary.fragmentsPersisted} persisted, the first ${summary.firstPersistedMs ?? '?'} ms after the start`,
    `Pictures    ${counters}; at most ${summary.maxVideoGapMs ?? '?'} ms apart`,
    `Sound       ${skew}`,
    ...[recording, ...summary.moreFiles].map((path) => `Recording   ${path}`),
  ];
}
