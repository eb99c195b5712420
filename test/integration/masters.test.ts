/** A master of another make than browsers and GStreamer, and the live controls of our own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster, analyzeRecording } from '../../lib/index.js';
import { AiortcMaster, missingAiortc } from '../support/aiortc-master.js';
import { decodeErrors } from '../support/decode.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

/** What a test may wait for in all. */
const deadline = (): { readonly signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) });

describe('masters', () => {
  it('records aiortc, every picture of it', { skip: missingAiortc() }, async () => {
    await using stack = await LocalStack.start();
    await using master = await AiortcMaster.start(stack, { codec: 'VP8' });
    await using bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      isolation: 'none',
    });
    await bridge.start();
    const within = deadline();
    while (bridge.totals.fragmentsPersisted < 1) await once(bridge, 'persisted', within);
    const { error } = await bridge.stop();
    assert.equal(error, undefined, master.stderr);
    const [first] = await stack.readFragments(await stack.listFragments());
    assert.ok(first !== undefined);
    assert.equal(await decodeErrors(first), '');
    const found = await analyzeRecording(first);
    assert.ok(found.videoFrames > 10);
    assert.equal(found.missingCounters, 0);
  });

  it('of our own obey while they send', async () => {
    const within = deadline();
    await using stack = await LocalStack.start();
    await using master = new TestMaster({ ...stack.connection, width: 640, height: 360 });
    await master.start();
    await using bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      isolation: 'none',
    });
    const epochOf = (width: number): Promise<unknown> =>
      eventThat(
        bridge,
        'epoch',
        (epoch: { readonly width: number }) => epoch.width === width,
        20_000,
      );
    const framesAfterNow = async (): Promise<void> => {
      const before = bridge.totals.videoFramesReceived;
      while (bridge.totals.videoFramesReceived < before + 10) {
        await once(master, 'framesSent', within);
      }
    };
    const first = epochOf(640);
    await bridge.start();
    await first;
    const turned = epochOf(480);
    master.setSize(480, 640);
    await turned;
    master.changeVideoSsrc();
    // Beyond what of the first SSRC was under way.
    await framesAfterNow();
    await framesAfterNow();
    master.setSending({ video: false, audio: true });
    // The second word about frames tells of a second without any.
    const sent: number[] = [];
    while (sent.length < 2 || sent.at(-1) !== sent.at(-2)) {
      const [frames] = (await once(master, 'framesSent', within)) as [number];
      sent.push(frames);
    }
    master.setSending({ video: true, audio: true });
    await framesAfterNow();
    assert.equal((await bridge.stop()).error, undefined);
  });
});
