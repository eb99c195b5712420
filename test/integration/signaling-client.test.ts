import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { SignalingClient, SignalingClosed } from '../../lib/signaling/signaling-client.js';
import { OptionsError, SignalingError, StateError } from '../../lib/util/errors.js';
import {
  SignalingService,
  base64,
  channelArn,
  failsWith,
  received,
} from '../support/signaling-service.js';

const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const deadlineMs = 10_000;

let service: SignalingService;

beforeEach(async () => {
  service = await SignalingService.start();
});
afterEach(async () => {
  await service[Symbol.asyncDispose]();
});

const closedOf = async (client: SignalingClient): Promise<SignalingClosed> => {
  const [info] = (await once(client, 'closed', {
    signal: AbortSignal.timeout(deadlineMs),
  })) as [SignalingClosed];
  return info;
};

describe('SignalingClient connected', () => {
  it('signs a viewer in with its client id, a master without', async () => {
    const asViewer = (await service.connect(service.viewer())).url.searchParams;
    assert.equal(asViewer.get('X-Amz-ClientId'), 'viewer-1');
    assert.equal(asViewer.get('X-Amz-ChannelARN'), channelArn);
    assert.match(asViewer.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
    const asMaster = (await service.connect(service.master())).url.searchParams;
    assert.equal(asMaster.has('X-Amz-ClientId'), false);
  });

  it('sends what a viewer has to say, in order, with correlation ids', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    const arrived = received(peer, 3);
    const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 };
    assert.equal(client.sendOffer(sdp, 'offer-1'), 'offer-1');
    const correlationId = client.sendCandidate(candidate);
    client.sendCandidate({ candidate: '' });
    const [offer, first, second] = await arrived;
    assert.deepEqual(offer, {
      action: 'SDP_OFFER',
      messagePayload: base64({ type: 'offer', sdp }),
      correlationId: 'offer-1',
    });
    assert.deepEqual(first, {
      action: 'ICE_CANDIDATE',
      messagePayload: base64(candidate),
      correlationId,
    });
    assert.equal(second?.['messagePayload'], base64({ candidate: '' }));
  });

  it('sends what a master has to say to one viewer', async () => {
    const client = service.master();
    const { peer } = await service.connect(client);
    const arrived = received(peer, 2);
    client.sendAnswer(sdp, 'viewer-7');
    client.sendCandidate({ candidate: 'candidate:1' }, 'viewer-7');
    const [answer, candidate] = await arrived;
    assert.equal(answer?.['action'], 'SDP_ANSWER');
    assert.equal(answer['recipientClientId'], 'viewer-7');
    assert.equal(candidate?.['recipientClientId'], 'viewer-7');
  });

  it('delivers every kind of message in order, from the first packet on', async () => {
    const frames: (Buffer | string)[] = [
      JSON.stringify({ messageType: 'ICE_CANDIDATE', messagePayload: base64({ candidate: 'c' }) }),
      '',
      JSON.stringify({
        messageType: 'SDP_OFFER',
        messagePayload: base64({ type: 'offer', sdp }),
        senderClientId: 'viewer-2',
      }),
      JSON.stringify({
        messageType: 'SDP_ANSWER',
        messagePayload: base64({ type: 'answer', sdp }),
      }),
      Buffer.from('{"messageType":"GO_AWAY"}'),
      JSON.stringify({
        messageType: 'STATUS_RESPONSE',
        statusResponse: { correlationId: 'c1', statusCode: '400', errorType: 'X' },
      }),
      JSON.stringify({ messageType: 'RECONNECT_ICE_SERVER' }),
      JSON.stringify({ messageType: 'GO_AWAY' }),
    ];
    // Sent while the client may still be busy with the upgrade.
    service.relay.once('connection', (peer: WebSocket) => {
      for (const frame of frames) peer.send(frame);
      peer.close(1001, 'bye');
    });
    const client = service.viewer();
    const events: unknown[][] = [];
    client.on('offer', (message) => events.push(['offer', message]));
    client.on('answer', (message) => events.push(['answer', message]));
    client.on('candidate', (message) => events.push(['candidate', message]));
    client.on('ignored', (message) => events.push(['ignored', message]));
    client.on('status', (message) => events.push(['status', message]));
    client.on('goAway', () => events.push(['goAway']));
    client.on('reconnectIceServer', () => events.push(['reconnectIceServer']));
    const closed = closedOf(client);
    await client.connect();
    assert.deepEqual(await closed, { code: 1001, reason: 'bye', wasClean: true });
    assert.deepEqual(events, [
      ['candidate', { candidate: { candidate: 'c' } }],
      ['ignored', { reason: 'an empty message' }],
      ['offer', { sdp, senderClientId: 'viewer-2' }],
      ['answer', { sdp }],
      ['ignored', { reason: 'a binary frame' }],
      ['status', { correlationId: 'c1', statusCode: '400', errorType: 'X' }],
      ['reconnectIceServer'],
      ['goAway'],
    ]);
  });

  it('sends more than the service takes in a second later, in order', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    const arrived = received(peer, 8);
    for (let index = 0; index < 7; index += 1) client.sendOffer(sdp, `c${String(index)}`);
    const last = client.sendCandidate({ candidate: '' });
    const ids = (await arrived).map((message) => message['correlationId']);
    assert.deepEqual(ids, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', last]);
  });

  it('survives garbage and goes on', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    let ignoredCount = 0;
    client.on('ignored', () => {
      ignoredCount += 1;
    });
    const answered = once(client, 'answer');
    for (let index = 0; index < 1000; index += 1)
      peer.send(`{"messageType":"SDP_OFFER",${'x'.repeat(index)}`);
    peer.send(JSON.stringify({ messageType: 'SDP_ANSWER', messagePayload: base64({ sdp }) }));
    await answered;
    assert.equal(ignoredCount, 1000);
  });

  it('answers a frame beyond all bounds by closing', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    const closed = closedOf(client);
    peer.send('x'.repeat(1024 * 1024));
    const info = await closed;
    assert.equal(info.wasClean, false);
    assert.match(info.reason, /payload/i);
  });

  it('refuses what cannot be sent', async () => {
    const client = service.viewer();
    assert.throws(() => client.sendOffer(sdp), StateError);
    await service.connect(client);
    assert.throws(() => client.sendOffer('x'.repeat(10_000)), SignalingError);
    assert.throws(() => client.sendAnswer(sdp, 'viewer-1'), StateError);
    assert.throws(() => client.sendCandidate({ candidate: '' }, 'viewer-1'), OptionsError);
    for (let index = 0; index < 1020; index += 1) client.sendCandidate({ candidate: '' });
    assert.throws(
      () => client.sendCandidate({ candidate: '' }),
      failsWith('KVSB_SIGNALING', '1000'),
    );
    await client.close();
    assert.throws(() => client.sendOffer(sdp), StateError);
  });
});

describe('SignalingClient keep-alive and close', () => {
  it('pings, and stays while it is answered', async () => {
    const client = service.viewer({ pingIntervalMs: 20, pongTimeoutMs: 5000 });
    const { peer } = await service.connect(client);
    for (let count = 0; count < 5; count += 1) await once(peer, 'ping');
    const arrived = received(peer, 1);
    client.sendOffer(sdp);
    await arrived;
  });

  it('notices a peer that no longer answers', async () => {
    const peers: Duplex[] = [];
    // Completes the upgrade, then only listens: what a dead network path looks like.
    service.server.removeAllListeners('upgrade');
    service.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      service.relay.handleUpgrade(request, socket, head, (peer) => {
        peer.pause();
      });
      socket.on('error', () => undefined);
      peers.push(socket);
    });
    const client = service.viewer({ pingIntervalMs: 20, pongTimeoutMs: 60 });
    await client.connect();
    const info = await closedOf(client);
    assert.deepEqual(info, {
      code: 1006,
      reason: 'no answer to a ping within 60 ms',
      wasClean: false,
    });
    for (const peer of peers) peer.destroy();
  });

  it('tells when the connection breaks', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    const closed = closedOf(client);
    peer.terminate();
    assert.equal((await closed).wasClean, false);
  });

  it('closes once, however often it is asked, and says so once', async () => {
    const client = service.viewer();
    const { peer } = await service.connect(client);
    const infos: SignalingClosed[] = [];
    client.on('closed', (info) => infos.push(info));
    const peerClosed = once(peer, 'close');
    await Promise.all([client.close(), client.close()]);
    await client.close();
    await client[Symbol.asyncDispose]();
    assert.deepEqual(infos, [{ code: 1000, reason: '', wasClean: true }]);
    assert.equal((await peerClosed)[0], 1000);
  });

  it('does not wait for a service that never agrees to close', async () => {
    const client = service.viewer({ closeTimeoutMs: 50 });
    const { peer } = await service.connect(client);
    peer.pause();
    await client.close();
  });

  it('does not wait for a service that closes and then never hangs up', async () => {
    const client = service.viewer({ closeTimeoutMs: 50 });
    const { peer } = await service.connect(client);
    const closed = closedOf(client);
    peer.close(1001, 'bye');
    peer.pause();
    assert.deepEqual(await closed, { code: 1001, reason: 'bye', wasClean: true });
  });

  it('cannot be used twice', async () => {
    const client = service.viewer();
    await service.connect(client);
    await assert.rejects(client.connect(), StateError);
    await client.close();
    await assert.rejects(client.connect(), StateError);
    const unused = service.viewer();
    await unused.close();
    await assert.rejects(unused.connect(), StateError);
  });
});
