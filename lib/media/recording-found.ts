/** What was found in a recording; the other half is native/media/publisher/recording_analyzer.h. */
export interface RecordingAnalysis {
  /** Video frames that decode. */
  readonly videoFrames: number;
  /** Burned-in counter of the first frame. */
  readonly firstCounter: number;
  /** Burned-in counter of the last frame. */
  readonly lastCounter: number;
  /** Counters between the first and the last that no frame shows. */
  readonly missingCounters: number;
  /** Frames whose counter is not above the one before. */
  readonly repeatedCounters: number;
  /** Largest distance between the timestamps of consecutive frames, in ms. */
  readonly maxVideoGapMs: number;
  /** From the first frame to the last, in ms. */
  readonly videoDurationMs: number;
  /** Decoded audio, in ms. */
  readonly audioDurationMs: number;
  /** Flashes of the picture that had a tick of the tone within half a second. */
  readonly avPairs: number;
  /** Median of tick minus flash, in ms: above zero, the sound is late. Absent without pairs. */
  readonly avSkewMs?: number;
  /** The pair furthest apart, in ms, with its sign. Absent without pairs. */
  readonly avSkewWorstMs?: number;
}
