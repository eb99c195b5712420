/** A master that sends rubbish: the bridge warns, lives, and records the next one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type { KvsBridgeError } from '../../lib/index.js';
import { staticCredentials } from '../../lib/aws/credentials.js';
import { PublishedViewer } from '../../lib/publisher/published-viewer.js';
import { presignSignalingUrl } from '../../lib/signaling/presigned-url.js';
import { deferred } from '../../lib/util/deferred.js';
import { WebSocket } from 'ws';
import { Disposers } from '../support/disposers.js';
import { eventThat } from '../support/events.js';
import { hostilePayload, seededRandom } from '../support/hostile-messages.js';
import { LocalStack } from '../support/local-stack.js';

const messages = 1_000;

describe('a hostile master', () => {
  for (const seed of [1, 2026]) {
    it(`sends ${String(messages)} malformed messages (seed ${String(seed)}) and ends nothing`, async () => {
      await using stack = await LocalStack.start({
        limits: {
          signaling: { sdpPerSecond: 10_000, candidatesPerSecond: 10_000, connectsPerSecond: 100 },
        },
      });
      const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream });
      const codes = new Set<string>();
      bridge.on('warning', ({ code }) => codes.add(code));
      await bridge.start();
      const pid = bridge.mediaProcessId;

      await sendRubbish(stack, bridge, seed);

      // Alive, in the same process, and a real master is still recorded.
      assert.equal(bridge.mediaProcessId, pid);
      await using master = new TestMaster({ ...stack.connection, width: 640, height: 360 });
      const persisted = eventThat(bridge, 'persisted', () => true, 60_000);
      await master.start();
      await persisted;
      const { error, totals } = await bridge.stop();
      assert.equal(error, undefined);
      assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
      for (const code of codes) {
        // What still is an answer after its mutation is taken for one, and leads nowhere.
        assert.match(code, /^KVSB_(BAD_PEER_INPUT|MEDIA|SIGNALING|MEDIA_PROCESS|PEER_LOST)$/);
      }
      assert.ok(codes.has('KVSB_BAD_PEER_INPUT'));
    });
  }

  it('answers with rubbish and then in earnest: that answer counts', async () => {
    await using stack = await LocalStack.start();
    await using masters = new Disposers();
    masters.use(await answerTwice(stack));
    const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream, isolation: 'none' });
    const rubbish = eventThat(
      bridge,
      'warning',
      ({ code }: KvsBridgeError) => code === 'KVSB_BAD_PEER_INPUT',
      30_000,
    );
    const persisted = eventThat(bridge, 'persisted', () => true, 60_000);
    await bridge.start();
    await rubbish;
    await persisted;
    const { error, totals } = await bridge.stop();
    assert.equal(error, undefined);
    assert.equal(totals.sessions, 1);
  });
});

/** Answers once: with rubbish, and at once with what works. */
async function answerTwice(stack: LocalStack): Promise<AsyncDisposable> {
  const client = await stack.signalingMaster();
  let viewer: PublishedViewer | undefined;
  client.on('candidate', ({ candidate: { candidate, sdpMLineIndex = 0 } }) => {
    viewer?.addCandidate(candidate, sdpMLineIndex);
  });
  client.on('offer', ({ sdp, senderClientId = '' }) => {
    if (viewer !== undefined) return;
    viewer = new PublishedViewer(sdp);
    viewer.on('answer', (answer) => {
      const noDtls = answer.replaceAll(/^a=fingerprint:.*\r\n/gm, '');
      for (const each of [noDtls, answer]) client.sendAnswer(each, senderClientId);
    });
    viewer.on('candidate', (candidate) => {
      client.sendCandidate(candidate, senderClientId);
    });
    const source = { width: 640, height: 360, frameRate: 15, videoBitrateBps: 300_000 };
    viewer.start({
      ...source,
      ...{ offer: sdp, iceServers: [], jitterBufferMs: 200, relayOnly: false, audio: true },
    });
  });
  await client.connect({ signal: AbortSignal.timeout(20_000) });
  return {
    [Symbol.asyncDispose]: async () => {
      await viewer?.stop();
      await client.close();
    },
  };
}

/** Joins as the master, waits for the offer, sends the rubbish, and leaves. */
async function sendRubbish(stack: LocalStack, bridge: KvsBridge, seed: number): Promise<void> {
  await using controlPlane = stack.controlPlane();
  const { wss } = await controlPlane.signalingEndpoints(stack.channelArn, 'MASTER');
  const url = await presignSignalingUrl({
    endpoint: wss,
    channelArn: stack.channelArn,
    region: stack.region,
    credentials: await staticCredentials(stack.credentials).get(),
  });
  const socket = new WebSocket(url);
  const offered = deferred<string>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { messageType: string; senderClientId: string };
    if (message.messageType === 'SDP_OFFER') offered.resolve(message.senderClientId);
  });
  const recipientClientId = await offered.promise;
  const random = seededRandom(seed);
  for (let sent = 0; sent < messages; sent += 1) {
    const { action, payload } = hostilePayload(random);
    socket.send(JSON.stringify({ action, recipientClientId, messagePayload: payload }));
  }
  // The last one is well known: once the bridge warns of it, it has seen all.
  const last = 'candidate:last-of-all';
  const seen = eventThat(bridge, 'warning', () => true, 20_000);
  socket.send(
    JSON.stringify({
      action: 'ICE_CANDIDATE',
      recipientClientId,
      messagePayload: Buffer.from(JSON.stringify({ candidate: last, sdpMLineIndex: 0 })).toString(
        'base64',
      ),
    }),
  );
  await seen;
  socket.close();
}
