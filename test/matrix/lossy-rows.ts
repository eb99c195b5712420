/** Rows of networks that lose packets. */
import type { LinkConditions } from '../support/lossy-link.js';
import { LossySource } from './lossy-source.js';
import { matrixRow } from './row.js';
import type { MatrixRow } from './row.js';

const durationMs = 20_000;

/** The default of `--jitter-buffer-ms`. */
const defaultJitterBufferMs = 300;

/** Frames that are gone make the frames up to the next keyframe useless: at most these are lost. */
const maxLostFrames = 200;
const maxGapMs = 2_000;

/** A tick of 50 ms whose first packets are lost for good is concealed, and so begins late. */
const maxConcealedSkewMs = 90;

function lossyRow(id: string, title: string, conditions: LinkConditions): MatrixRow {
  return matrixRow<LossySource>({
    id: `lossy-${id}`,
    title,
    group: 'Own test master behind a lossy network',
    durationMs,
    hasTestPicture: true,
    expect:
      conditions.lossPercent === undefined
        ? { maxGapMs, maxLostFrames }
        : { maxGapMs, maxLostFrames, maxSkewMs: maxConcealedSkewMs },
    // What users get who say nothing.
    bridge: { jitterBufferMs: defaultJitterBufferMs },
    start: (stack) => LossySource.start(stack, { delayMs: 20, ...conditions }),
  });
}

export const lossyRows: readonly MatrixRow[] = [
  lossyRow('5', '5 % loss', { lossPercent: 5 }),
  lossyRow('10', '10 % loss', { lossPercent: 10 }),
  lossyRow('bursts', '5 % loss in bursts of 8 packets', { lossPercent: 5, burstPackets: 8 }),
  lossyRow('reorder', '5 % of packets out of order', { reorderPercent: 5 }),
  lossyRow('duplicates', '10 % of packets twice', { duplicatePercent: 10 }),
  lossyRow('jitter', 'jitter of 60 ms', { jitterMs: 60 }),
  lossyRow('all', '5 % loss, jitter, reordering, duplicates', {
    lossPercent: 5,
    jitterMs: 30,
    reorderPercent: 3,
    duplicatePercent: 3,
  }),
];
