/** What the addon and GStreamer are able to do: asked once. */
import type { Machine } from '../machine.js';
import { neededElements } from '../elements.js';
import type { ElementNeed } from '../elements.js';
import type { ResolvedDoctorOptions } from '../options.js';
import { askMedia } from './media.js';
import type { ProbeCrash } from './media.js';
import type { MediaAnswer } from './media-protocol.js';
import { once, step } from './step.js';
import type { Outcome } from './step.js';

/** The very first start of GStreamer on a machine scans its plugins. */
const slowness = 6;

/** Shared by the checks of the addon, GStreamer and kvssink. */
export class MediaProbes {
  readonly needs: readonly ElementNeed[];
  /** How long {@link ask} waits, in ms. */
  readonly timeoutMs: number;
  /** The answer of the probe. */
  readonly ask: () => Promise<Outcome<MediaAnswer | ProbeCrash>>;

  constructor(
    machine: Machine,
    { videoCodecs, audio, stepTimeoutMs }: ResolvedDoctorOptions,
    signal: AbortSignal,
  ) {
    this.needs = neededElements(videoCodecs, audio);
    this.timeoutMs = slowness * stepTimeoutMs;
    const elements = [...new Set(this.needs.flatMap(({ anyOf }) => anyOf))];
    this.ask = once(() =>
      step((bound) => askMedia(machine, { elements }, { signal: bound }), {
        timeoutMs: this.timeoutMs,
        signal,
      }),
    );
  }
}
