/** What a check is. */
import type { Machine } from './machine.js';
import type { ResolvedDoctorOptions } from './options.js';
import type { AwsProbes } from './probes/aws.js';
import type { MediaProbes } from './probes/media-facts.js';
import type { DoctorFinding, DoctorTopic } from './report.js';

/** What every check works with. */
export interface CheckContext {
  readonly options: ResolvedDoctorOptions;
  readonly machine: Machine;
  /** What was asked of AWS, once for all checks. */
  readonly aws: AwsProbes;
  /** What GStreamer said, once for all checks. */
  readonly media: MediaProbes;
  /** Bounds of one step. */
  readonly bounds: { readonly timeoutMs: number; readonly signal: AbortSignal };
}

/** Looks at one topic. */
export interface Check {
  readonly topic: DoctorTopic;
  readonly run: (context: CheckContext) => Promise<readonly DoctorFinding[]>;
}
