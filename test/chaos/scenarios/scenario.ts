/** What a scenario of the chaos suite is: a longer story than a fault, with a measure of its own. */
import type { RunReport } from '../run.js';

/** How a scenario is to run. */
export interface ScenarioOptions {
  readonly seed: number;
  /** How long the story takes. @defaultValue the scenario's own */
  readonly seconds?: number;
  /** How often it happens. @defaultValue the scenario's own */
  readonly count?: number;
  readonly signal: AbortSignal;
}

/** Something that was measured, in words. */
export interface Finding {
  readonly what: string;
  readonly value: string;
}

/** What came of it. */
export interface ScenarioOutcome {
  readonly findings: readonly Finding[];
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[];
  /** The recording that was made on the way, where it was judged frame by frame. */
  readonly report?: RunReport;
}

export interface Scenario {
  /** Short and stable: `--scenario` takes it. */
  readonly id: string;
  readonly title: string;
  /** What happens, for docs/faults.md. */
  readonly story: string;
  readonly run: (options: ScenarioOptions) => Promise<ScenarioOutcome>;
}

/** What is told of every recording. */
export function recordingFindings({ bridge, verdict }: RunReport): readonly Finding[] {
  const { sent, stored, duplicates, unaccounted, misshown } = verdict;
  return [
    { what: 'frames sent', value: String(sent) },
    { what: 'frames received, as far as the bridge told', value: String(bridge.received) },
    { what: 'frames stored', value: String(stored) },
    { what: 'frames stored twice', value: String(duplicates) },
    { what: 'frames unaccounted', value: String(unaccounted) },
    ...(misshown.length === 0
      ? []
      : [
          {
            what: "frames whose picture shows another one's number, in the place that the encoder counted",
            value: String(misshown.length),
          },
        ]),
  ];
}
