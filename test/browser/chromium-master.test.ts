/** Headless Chromium as the master, through AWS's own SDK: its climb in resolution, stored whole. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KvsBridge } from '../../lib/index.js';
import type { PersistedFragment } from '../../lib/index.js';
import { BrowserMaster } from '../support/browser-master.js';
import { decodeErrors, probe } from '../support/decode.js';
import { LocalStack } from '../support/local-stack.js';

const durationMs = 40_000;

describe('Chromium as the master', () => {
  it('is recorded for 40 s through its climb in resolution without a frame lost', async () => {
    await using stack = await LocalStack.start({ tls: 'self-signed' });
    // The SDK takes wss:// only; the bridge itself stays on plain ws.
    const endpoint = `${stack.kvs.wssUrl}/m`;
    await using browser = await BrowserMaster.start({
      channelArn: stack.channelArn,
      endpoint,
      region: stack.region,
      credentials: stack.credentials,
      media: { audio: true, video: { width: 1280, height: 720, frameRate: 30 } },
    });

    const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream });
    const persisted: PersistedFragment[] = [];
    const sizes: string[] = [];
    const warnings: string[] = [];
    bridge.on('persisted', (fragment) => persisted.push(fragment));
    bridge.on('epoch', ({ width, height }) => sizes.push(`${width}x${height}`));
    bridge.on('warning', ({ message }) => warnings.push(message));
    await bridge.start();
    await delay(durationMs);
    const sent = await browser.stats();
    const { error, totals } = await bridge.stop();

    assert.equal(error, undefined);
    assert.deepEqual(warnings, []);
    assert.equal(sent.codec, 'video/H264');
    // Nothing that arrived was lost, and what Chromium counted until then did arrive.
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.videoFramesLost, 0);
    assert.ok(
      totals.videoFramesReceived >= sent.framesSent,
      `${totals.videoFramesReceived} of ${sent.framesSent}`,
    );

    // It climbed: several sizes, each an epoch of its own.
    assert.ok(new Set(sizes).size >= 3, sizes.join(' '));

    // Each fragment begins where the one before ended, to within a frame interval.
    const frameIntervalMs = Math.ceil(
      Math.max(...persisted.map((f) => f.durationMs / Math.max(1, f.videoFrames))),
    );
    for (const [index, fragment] of persisted.slice(1).entries()) {
      const previous = persisted[index];
      assert.ok(previous !== undefined);
      const gapMs = fragment.timecodeMs - previous.timecodeMs - previous.durationMs;
      assert.ok(gapMs >= 0 && gapMs <= frameIntervalMs, `a gap of ${gapMs} ms`);
    }

    // Each decodes by itself, with its own CodecPrivate, to exactly the frames that it should hold.
    const stored = await stack.listFragments();
    assert.equal(stored.length, persisted.length);
    for (const [index, file] of (await stack.readFragments(stored)).entries()) {
      assert.equal(await decodeErrors(file), '', file);
      const [video, audio] = await probe(file);
      assert.equal(video?.codec, 'h264');
      assert.equal(audio?.codec, 'aac');
      assert.equal(video.packets, persisted[index]?.videoFrames);
      assert.equal(audio.packets, persisted[index]?.audioFrames);
      assert.ok(sizes.includes(`${video.width}x${video.height}`));
    }
  });
});
