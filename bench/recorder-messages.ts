/** What the benchmarks and a process with several Bridges say to each other. */
import type { Isolation } from '../lib/index.js';

/** What the process is told as its only argument, in JSON. */
export interface RecorderPlan {
  readonly url: string;
  readonly ca: string;
  readonly spoolDir: string;
  readonly isolation: Isolation;
  /** Names of channels and streams. */
  readonly channels: readonly string[];
}

/** Every Bridge records. */
export interface RecordersReady {
  readonly type: 'ready';
}

/** What became of the media so far. */
export interface RecordersReport {
  readonly type: 'report';
  readonly framesReceived: number;
  readonly framesLost: number;
  readonly gaps: number;
}
