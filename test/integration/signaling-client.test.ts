import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { staticCredentials } from '../../lib/aws/credentials.js';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';
import type { SignalingClosed } from '../../lib/signaling/signaling-client.js';
import { KvsBridgeError, OptionsError, SignalingError, StateError } from '../../lib/util/errors.js';

const region = 'eu-central-1';
const channelArn = `arn:aws:kinesisvideo:${region}:123456789012:channel/door/1551924009774`;
const credentials = staticCredentials({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'SECRETKEY',
  sessionToken: 'SESSIONTOKEN',
});
const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const deadlineMs = 10_000;

let server: Server;
let relay: WebSocketServer;
let endpoint: URL;
let clients: SignalingClient[];

beforeEach(async () => {
  clients = [];
  server = createServer();
  relay = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = new URL(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const socket of relay.clients) socket.terminate();
  relay.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

interface Overrides {
  readonly endpoint?: URL;
  readonly connectTimeoutMs?: number;
  readonly pingIntervalMs?: number;
  readonly pongTimeoutMs?: number;
  readonly closeTimeoutMs?: number;
}

function viewer(overrides: Overrides = {}): SignalingClient {
  const client = new SignalingClient({
    role: 'VIEWER',
    clientId: 'viewer-1',
    channelArn,
    endpoint,
    region,
    credentials,
    ...overrides,
  });
  clients.push(client);
  return client;
}

function master(): SignalingClient {
  const client = new SignalingClient({ role: 'MASTER', channelArn, endpoint, region, credentials });
  clients.push(client);
  return client;
}

/** Connects, and returns the server's side of it too. */
async function connect(client: SignalingClient): Promise<{ peer: WebSocket; url: URL }> {
  const connected = once(relay, 'connection');
  await client.connect();
  const [peer, request] = (await connected) as [WebSocket, IncomingMessage];
  return { peer, url: new URL(request.url ?? '', endpoint) };
}

const closedOf = async (client: SignalingClient): Promise<SignalingClosed> => {
  const [info] = (await once(client, 'closed', {
    signal: AbortSignal.timeout(deadlineMs),
  })) as [SignalingClosed];
  return info;
};

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

/** The next `count` messages at the server. */
async function received(peer: WebSocket, count: number): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  return new Promise((resolve) => {
    const onMessage = (data: RawData): void => {
      assert.ok(Buffer.isBuffer(data));
      messages.push(JSON.parse(data.toString('utf8')) as Record<string, unknown>);
      if (messages.length === count) {
        peer.off('message', onMessage);
        resolve(messages);
      }
    };
    peer.on('message', onMessage);
  });
}

const failsWith =
  (code: string, ...words: readonly string[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KvsBridgeError, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    assert.doesNotMatch(
      `${error.stack ?? ''}${String(error.cause)}${error.fix ?? ''}`,
      /SECRETKEY|SESSIONTOKEN|X-Amz-/,
    );
    return true;
  };

describe('SignalingClient connected', () => {
  it('signs a viewer in with its client id, a master without', async () => {
    const asViewer = (await connect(viewer())).url.searchParams;
    assert.equal(asViewer.get('X-Amz-ClientId'), 'viewer-1');
    assert.equal(asViewer.get('X-Amz-ChannelARN'), channelArn);
    assert.match(asViewer.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
    const asMaster = (await connect(master())).url.searchParams;
    assert.equal(asMaster.has('X-Amz-ClientId'), false);
  });

  it('sends what a viewer has to say, in order, with correlation ids', async () => {
    const client = viewer();
    const { peer } = await connect(client);
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
    const client = master();
    const { peer } = await connect(client);
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
    relay.once('connection', (peer: WebSocket) => {
      for (const frame of frames) peer.send(frame);
      peer.close(1001, 'bye');
    });
    const client = viewer();
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
    const client = viewer();
    const { peer } = await connect(client);
    const arrived = received(peer, 8);
    for (let index = 0; index < 7; index += 1) client.sendOffer(sdp, `c${String(index)}`);
    const last = client.sendCandidate({ candidate: '' });
    const ids = (await arrived).map((message) => message['correlationId']);
    assert.deepEqual(ids, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', last]);
  });

  it('survives garbage and goes on', async () => {
    const client = viewer();
    const { peer } = await connect(client);
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
    const client = viewer();
    const { peer } = await connect(client);
    const closed = closedOf(client);
    peer.send('x'.repeat(1024 * 1024));
    const info = await closed;
    assert.equal(info.wasClean, false);
    assert.match(info.reason, /payload/i);
  });

  it('refuses what cannot be sent', async () => {
    const client = viewer();
    assert.throws(() => client.sendOffer(sdp), StateError);
    await connect(client);
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
    const client = viewer({ pingIntervalMs: 20, pongTimeoutMs: 5000 });
    const { peer } = await connect(client);
    for (let count = 0; count < 5; count += 1) await once(peer, 'ping');
    const arrived = received(peer, 1);
    client.sendOffer(sdp);
    await arrived;
  });

  it('notices a peer that no longer answers', async () => {
    const peers: Socket[] = [];
    // Completes the upgrade, then only listens: what a dead network path looks like.
    server.removeAllListeners('upgrade');
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      relay.handleUpgrade(request, socket, head, (peer) => {
        peer.pause();
      });
      socket.on('error', () => undefined);
      peers.push(socket as Socket);
    });
    const client = viewer({ pingIntervalMs: 20, pongTimeoutMs: 60 });
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
    const client = viewer();
    const { peer } = await connect(client);
    const closed = closedOf(client);
    peer.terminate();
    assert.equal((await closed).wasClean, false);
  });

  it('closes once, however often it is asked, and says so once', async () => {
    const client = viewer();
    const { peer } = await connect(client);
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
    const client = viewer({ closeTimeoutMs: 50 });
    const { peer } = await connect(client);
    peer.pause();
    await client.close();
  });

  it('does not wait for a service that closes and then never hangs up', async () => {
    const client = viewer({ closeTimeoutMs: 50 });
    const { peer } = await connect(client);
    const closed = closedOf(client);
    peer.close(1001, 'bye');
    peer.pause();
    assert.deepEqual(await closed, { code: 1001, reason: 'bye', wasClean: true });
  });

  it('cannot be used twice', async () => {
    const client = viewer();
    await connect(client);
    await assert.rejects(client.connect(), StateError);
    await client.close();
    await assert.rejects(client.connect(), StateError);
    const unused = viewer();
    await unused.close();
    await assert.rejects(unused.connect(), StateError);
  });
});

describe('SignalingClient handshake failures', () => {
  /** Answers the upgrade request with plain HTTP. */
  const refuse = (status: string, headers: readonly string[], body: string): void => {
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      socket.end([`HTTP/1.1 ${status}`, 'connection: close', ...headers, '', body].join('\r\n'));
    });
  };

  for (const [title, status, headers, body, code, words] of [
    [
      'a missing permission',
      '403 Forbidden',
      [],
      '{"Message":"no"}',
      'KVSB_ACCESS_DENIED',
      ['kinesisvideo:ConnectAsViewer'],
    ],
    [
      'wrong keys',
      '403 Forbidden',
      ['x-amzn-ErrorType: InvalidSignatureException'],
      '{"message":"The request signature we calculated does not match"}',
      'KVSB_CREDENTIALS',
      ['credentials'],
    ],
    [
      'a wrong clock',
      '403 Forbidden',
      [],
      '{"message":"Signature expired: 20260304T050607Z is now earlier than …"}',
      'KVSB_CREDENTIALS',
      ['clock'],
    ],
    [
      'an unknown channel',
      '404 Not Found',
      [],
      '{"__type":"ResourceNotFoundException"}',
      'KVSB_CHANNEL_NOT_FOUND',
      ['"door"'],
    ],
    [
      'too many viewers',
      '400 Bad Request',
      [],
      '{"__type":"ClientLimitExceededException","Message":"full"}',
      'KVSB_SIGNALING',
      ['ClientLimitExceeded', 'full'],
    ],
    [
      'a bad argument',
      '400 Bad Request',
      [],
      'not JSON',
      'KVSB_SIGNALING',
      ['HTTP 400', 'not JSON'],
    ],
    ['a broken server', '503 Unavailable', [], '', 'KVSB_SIGNALING', ['HTTP 503']],
    [
      'a redirect',
      '302 Found',
      ['location: http://127.0.0.1:1/'],
      '',
      'KVSB_SIGNALING',
      ['HTTP 302'],
    ],
    ['a plain page', '200 OK', [], '<html>', 'KVSB_SIGNALING', ['HTTP 200']],
    [
      'an endless body',
      '400 Bad Request',
      [],
      'x'.repeat(1_000_000),
      'KVSB_SIGNALING',
      ['HTTP 400'],
    ],
  ] as const) {
    it(`explains ${title}`, async () => {
      refuse(status, headers, body);
      const client = viewer();
      client.on('closed', () => {
        assert.fail('closed without ever having been open');
      });
      await assert.rejects(client.connect(), failsWith(code, ...words));
      await client.close();
    });
  }

  it('names a host that cannot be reached', async () => {
    const closedServer = createServer().listen(0, '127.0.0.1');
    await once(closedServer, 'listening');
    const { port } = closedServer.address() as AddressInfo;
    closedServer.close();
    await once(closedServer, 'close');
    const client = viewer({ endpoint: new URL(`ws://127.0.0.1:${String(port)}`) });
    await assert.rejects(
      client.connect(),
      failsWith('KVSB_SIGNALING', `127.0.0.1:${String(port)}`, 'ECONNREFUSED'),
    );
  });

  describe('with a server that never answers', () => {
    const silent = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
    });
    let silentEndpoint: URL;
    beforeEach(async () => {
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      silentEndpoint = new URL(`ws://127.0.0.1:${String((silent.address() as AddressInfo).port)}`);
    });
    afterEach(async () => {
      // Closes only when the client has let go of every connection.
      silent.close();
      await once(silent, 'close');
    });

    it('gives up in time', async () => {
      const client = viewer({ endpoint: silentEndpoint, connectTimeoutMs: 50 });
      await assert.rejects(client.connect(), failsWith('KVSB_SIGNALING', '50 ms'));
    });

    it('gives up when aborted, with the reason', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      silent.once('connection', () => {
        controller.abort(reason);
      });
      const client = viewer({ endpoint: silentEndpoint });
      await assert.rejects(client.connect({ signal: controller.signal }), reason);
      await assert.rejects(viewer().connect({ signal: controller.signal }), reason);
    });

    it('gives up when closed', async () => {
      const client = viewer({ endpoint: silentEndpoint });
      silent.once('connection', () => {
        void client.close();
      });
      await assert.rejects(client.connect(), StateError);
    });
  });

  it('forgets keys that were refused', async () => {
    refuse('403 Forbidden', ['x-amzn-ErrorType: ExpiredTokenException'], '{}');
    let invalidated = 0;
    const client = new SignalingClient({
      role: 'MASTER',
      channelArn,
      endpoint,
      region,
      credentials: {
        get: (options) => credentials.get(options),
        invalidate: () => {
          invalidated += 1;
        },
      },
    });
    await assert.rejects(client.connect(), failsWith('KVSB_CREDENTIALS'));
    assert.equal(invalidated, 1);
  });

  it('refuses options that cannot be', () => {
    const common = {
      role: 'VIEWER',
      clientId: 'v',
      channelArn,
      endpoint,
      region,
      credentials,
    } as const;
    for (const override of [
      { clientId: 'AWS_x' },
      { region: 'us-east-1' },
      { channelArn: 'arn:x' },
    ]) {
      assert.throws(() => new SignalingClient({ ...common, ...override }), OptionsError);
    }
  });
});
