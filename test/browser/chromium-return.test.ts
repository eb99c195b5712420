/** Chromium whose page is reloaded in mid-stream: the Bridge has its media again at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KvsBridge } from '../../lib/index.js';
import type { KvsBridgeError } from '../../lib/index.js';
import { BrowserMaster } from '../support/browser-master.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

const deadlineMs = 60_000;
/** Five are required; the rest is for a loaded machine. */
const promptMs = 10_000;
/** At 30 a second, well above the two seconds that make a video a steady one. */
const steadyFrames = 150;

describe('Chromium that is', () => {
  it('paused or reloaded is recorded again', async (context) => {
    await using stack = await LocalStack.start({ tls: 'self-signed' });
    await using browser = await BrowserMaster.start({
      channelArn: stack.channelArn,
      // The SDK takes wss:// only; the bridge itself stays on plain ws.
      endpoint: `${stack.kvs.wssUrl}/m`,
      region: stack.region,
      credentials: stack.credentials,
      media: { audio: true, video: { width: 640, height: 360, frameRate: 30 } },
    });
    await using bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      sink: 'putmedia',
    });
    await bridge.start();
    await eventThat(bridge, 'persisted', () => true, deadlineMs);

    // Only video that flowed for a while is missed when it stops.
    await eventThat(
      bridge,
      'totals',
      ({ videoFramesReceived }) => videoFramesReceived > steadyFrames,
      deadlineMs,
    );
    const silent = eventThat(bridge, 'warning', () => true, deadlineMs);
    await browser.stopSending();
    const [{ code: silentCode, message: silence }] = (await silent) as [KvsBridgeError];
    assert.equal(silentCode, 'KVSB_NO_MEDIA');
    assert.match(silence, /its video stopped/);
    const resumed = eventThat(bridge, 'track', () => true, deadlineMs);
    await browser.setCamera('on');
    await resumed;
    await eventThat(bridge, 'persisted', () => true, deadlineMs);
    const { sessions } = bridge.totals;

    const lost = eventThat(bridge, 'warning', () => true, deadlineMs);
    const track = eventThat(bridge, 'track', () => true, deadlineMs);
    const beganMs = performance.now();
    const joined = browser.reload();
    const [{ code, message }] = (await lost) as [KvsBridgeError];
    const foundMs = performance.now() - beganMs;
    assert.equal(code, 'KVSB_PEER_LOST');
    assert.match(message, /close_notify/);
    await joined;
    const joinedMs = performance.now();
    await track;
    const mediaMs = performance.now() - joinedMs;
    await eventThat(bridge, 'persisted', () => true, deadlineMs);
    context.diagnostic(
      `found after ${foundMs.toFixed()} ms; from joining to media ${mediaMs.toFixed()} ms, ` +
        `to PERSISTED ${(performance.now() - joinedMs).toFixed()} ms`,
    );
    assert.ok(foundMs < promptMs);
    assert.ok(mediaMs < promptMs);
    const { error, totals } = await bridge.stop();
    assert.equal(error, undefined);
    assert.equal(totals.sessions, sessions + 1);
  });
});
