/** A master that never sends a keyframe, nor parameter sets: it must not look like a silent one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BridgeTotals, KvsBridgeEvents } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { RecordingSession } from '../support/recording-session.js';

const deadlineMs = 20_000;

describe('a master that never sends a keyframe', () => {
  it('has its frames counted as received and lost, and is asked for a keyframe', async () => {
    await using session = await RecordingSession.start('putmedia', {
      master: { audio: false, shape: { keyframes: 'never' } },
    });
    const { bridge, master } = session;
    const isAsked = ({ keyframeRequests }: BridgeTotals): boolean => keyframeRequests >= 3;
    const reasons: string[] = [];
    bridge.on('lost', ({ reason }: KvsBridgeEvents['lost'][0]) => reasons.push(reason));
    await Promise.all([
      eventThat(bridge, 'lost', () => true, deadlineMs),
      eventThat(bridge, 'totals', isAsked, deadlineMs),
    ]);
    assert.equal(reasons[0], 'before-keyframe');
    const arrived = master.keyframeRequests;
    const { totals } = await bridge.stop();
    assert.ok(arrived >= 2);
    // Parsers and depayloaders would ask at every frame.
    assert.ok(
      arrived <= totals.keyframeRequests,
      `${String(arrived)} requests arrived, ${String(totals.keyframeRequests)} were made`,
    );
    assert.ok(totals.videoFramesReceived > 0);
    assert.equal(totals.videoFramesLost, totals.videoFramesReceived);
  });
});
