import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KinesisVideoSignaling } from '@aws-sdk/client-kinesis-video-signaling';
import { WebSocket } from 'ws';
import type { LocalKvsOptions } from '../../lib/local/index.js';
import { awsError, TestKvs } from '../support/local-kvs.js';
import { RawPeer, RefusedError } from '../support/raw-peer.js';
import type { RawPeerOptions } from '../support/raw-peer.js';

/** A server with one channel. */
class Channel implements AsyncDisposable {
  readonly test: TestKvs;
  readonly arn: string;

  private constructor(test: TestKvs, arn: string) {
    this.test = test;
    this.arn = arn;
  }

  static async open(
    signaling: NonNullable<LocalKvsOptions['limits']>['signaling'] = {},
    options: Partial<LocalKvsOptions> = {},
    ttlSeconds = 60,
  ): Promise<Channel> {
    const limits = { signaling: { connectsPerSecond: 100, ...signaling } };
    const test = await TestKvs.start({ ...options, limits });
    return new Channel(test, await test.createChannel('c', ttlSeconds));
  }

  async master(options: Partial<RawPeerOptions> = {}): Promise<RawPeer> {
    const endpoint = `${this.test.kvs.endpoints.ws}/m`;
    return RawPeer.connect({ endpoint, channelArn: this.arn, ...options });
  }

  async viewer(clientId: string, options: Partial<RawPeerOptions> = {}): Promise<RawPeer> {
    const endpoint = `${this.test.kvs.endpoints.ws}/v`;
    return RawPeer.connect({ endpoint, channelArn: this.arn, clientId, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}

const offer = (payload: string, more: object = {}): object => ({
  action: 'SDP_OFFER',
  messagePayload: payload,
  ...more,
});
const candidate = (payload: string, more: object = {}): object => ({
  ...offer(payload, more),
  action: 'ICE_CANDIDATE',
});
const payloads = (messages: readonly { messagePayload?: string }[]): unknown[] =>
  messages.map(({ messagePayload }) => messagePayload);

describe('signaling relay', () => {
  it('passes messages both ways, and tells only the master who sent them', async () => {
    await using channel = await Channel.open();
    const master = await channel.master();
    const [one, two] = [await channel.viewer('one'), await channel.viewer('two')];
    one.send(offer('b2ZmZXI=', { recipientClientId: 'two' }));
    await master.messages(1);
    two.send({ action: 'ICE_CANDIDATE', MessagePayload: 'e30=', RecipientClientId: '' });
    assert.deepEqual(await master.messages(2), [
      { messagePayload: 'b2ZmZXI=', messageType: 'SDP_OFFER', senderClientId: 'one' },
      { messagePayload: 'e30=', messageType: 'ICE_CANDIDATE', senderClientId: 'two' },
    ]);
    master.send({
      action: 'SDP_ANSWER',
      messagePayload: 'YW5zd2Vy',
      recipientClientId: 'one',
      correlationId: 'x',
    });
    assert.deepEqual(await one.messages(1), [
      { messagePayload: 'YW5zd2Vy', messageType: 'SDP_ANSWER' },
    ]);
    await two.settled();
    assert.deepEqual(two.received, []);
    assert.equal(master.received.length, 2, 'success is silent');
  });

  it('keeps messages for who comes later; a newer offer replaces the older one', async () => {
    await using channel = await Channel.open();
    const viewer = await channel.viewer('v');
    for (const message of [offer('old'), candidate('c1'), offer('new'), candidate('c2')]) {
      viewer.send(message);
    }
    await viewer.settled();
    await viewer.close();
    const master = await channel.master();
    assert.deepEqual(payloads(await master.messages(3)), ['new', 'c1', 'c2']);
    master.send({ action: 'SDP_ANSWER', messagePayload: 'a', recipientClientId: 'v' });
    await master.settled();
    const back = await channel.viewer('v');
    assert.deepEqual(payloads(await back.messages(1)), ['a']);
  });

  it('lets the newest master and the newest viewer of an id win', async () => {
    await using channel = await Channel.open();
    const first = await channel.master();
    const second = await channel.master();
    assert.equal(await first.closed(), 1000);
    const older = await channel.viewer('v');
    const newer = await channel.viewer('v');
    assert.equal(await older.closed(), 1000);
    newer.send(offer('x'));
    await second.messages(1);
    second.send(candidate('y', { recipientClientId: 'v' }));
    assert.deepEqual(payloads(await newer.messages(1)), ['y']);
  });

  it('can leave the older one open and silent', async () => {
    await using channel = await Channel.open({}, { supersededConnections: 'keepSilent' });
    const first = await channel.master();
    const second = await channel.master();
    const viewer = await channel.viewer('v');
    viewer.send(offer('x'));
    await second.messages(1);
    first.send(candidate('ghost', { recipientClientId: 'v' }));
    await first.settled();
    await viewer.settled();
    assert.deepEqual(first.received, []);
    assert.deepEqual(viewer.received, []);
    assert.equal(first.socket.readyState, WebSocket.OPEN);
  });

  it('relays nothing while media storage is on', async () => {
    await using channel = await Channel.open();
    const StreamARN = await channel.test.createStream('s');
    await channel.test.control.updateMediaStorageConfiguration({
      ChannelARN: channel.arn,
      MediaStorageConfiguration: { Status: 'ENABLED', StreamARN },
    });
    const master = await channel.master();
    const viewer = await channel.viewer('v');
    viewer.send(offer('x'));
    await viewer.settled();
    await master.settled();
    assert.deepEqual(master.received, []);
  });

  it('refuses bad messages with a status, if they can be named', async () => {
    await using channel = await Channel.open({ maxPayloadLength: 100 });
    const master = await channel.master();
    master.send(candidate('x'));
    master.send({ action: 'SDP_OFFER' });
    master.socket.send('not JSON');
    master.socket.send(Buffer.from([1, 2, 3]));
    await master.settled();
    assert.deepEqual(master.received, []);
    master.send(candidate('x', { correlationId: 'c1' }));
    master.send(offer('x'.repeat(101), { recipientClientId: 'v', correlationId: 'c2' }));
    master.send({ action: 'DANCE', correlationId: 'c3' });
    const statuses = (await master.messages(3)).map(({ statusResponse = {}, messageType }) => [
      messageType,
      statusResponse['correlationId'],
      statusResponse['errorType'],
      statusResponse['statusCode'],
    ]);
    assert.deepEqual(
      statuses,
      ['c1', 'c2', 'c3'].map((id) => ['STATUS_RESPONSE', id, 'InvalidArgumentException', '400']),
    );
  });

  it('holds connections to their rate', async () => {
    await using channel = await Channel.open({ sdpPerSecond: 2 });
    const master = await channel.master();
    const viewer = await channel.viewer('v');
    for (let index = 0; index < 20; index += 1) {
      viewer.send(offer(String(index), { correlationId: String(index) }));
    }
    const refused = (await viewer.messages(1))[0]?.statusResponse ?? {};
    assert.equal(refused['errorType'], 'ClientLimitExceededException');
    await master.messages(2);
    assert.deepEqual(payloads(master.received).slice(0, 2), ['0', '1']);
  });

  it('closes what sends frames beyond reason', async () => {
    await using channel = await Channel.open();
    const viewer = await channel.viewer('v');
    viewer.socket.send('x'.repeat(200_000));
    assert.equal(await viewer.closed(), 1009);
  });

  it('closes what is idle, and counts pings as traffic', async () => {
    await using channel = await Channel.open({ idleTimeoutMs: 600 });
    const quiet = await channel.viewer('quiet');
    const alive = await channel.viewer('alive');
    const pings = setInterval(() => {
      alive.socket.ping();
    }, 20);
    assert.equal(await quiet.closed(), 1000);
    assert.equal(alive.socket.readyState, WebSocket.OPEN);
    clearInterval(pings);
    assert.equal(await alive.closed(), 1000);
  });

  it('announces the end of a long connection, then ends it', async () => {
    await using channel = await Channel.open({ connectionDurationMs: 50, goAwayGraceMs: 100 });
    const master = await channel.master();
    assert.deepEqual(await master.messages(1), [{ messageType: 'GO_AWAY' }]);
    assert.equal(await master.closed(), 1001);
  });

  it('closes the connections of a channel that is deleted, and all when it stops', async () => {
    await using channel = await Channel.open();
    const master = await channel.master();
    await channel.test.control.deleteSignalingChannel({ ChannelARN: channel.arn });
    assert.equal(await master.closed(), 1000);
    const channelArn = await channel.test.createChannel('d');
    const viewer = await channel.viewer('v', { channelArn });
    const gone = channel.test.event('signaling', ({ kind }) => kind === 'disconnected');
    await channel.test.kvs.close();
    assert.equal(await viewer.closed(), 1001);
    assert.deepEqual(await gone, {
      kind: 'disconnected',
      channelName: 'd',
      role: 'VIEWER',
      clientId: 'v',
    });
  });

  it('serves wss with its own certificate', async () => {
    await using channel = await Channel.open({}, { tls: 'self-signed' });
    const { caPem: ca, wssUrl } = channel.test.kvs;
    const master = await channel.master({ endpoint: `${wssUrl}/m`, ca });
    const viewer = await channel.viewer('v');
    viewer.send(offer('x'));
    assert.deepEqual(payloads(await master.messages(1)), ['x']);
  });

  it('drops a message when its time is over', async () => {
    await using channel = await Channel.open({}, {}, 5);
    const viewer = await channel.viewer('v');
    viewer.send(offer('x'));
    await viewer.settled();
    const realNow = Date.now;
    Date.now = () => realNow() + 5001;
    try {
      const master = await channel.master();
      await master.settled();
      assert.deepEqual(master.received, []);
    } finally {
      Date.now = realNow;
    }
  });
});

describe('connecting', () => {
  let channel: Channel;
  before(async () => {
    channel = await Channel.open({ maxViewers: 1 });
  });
  after(async () => {
    await channel[Symbol.asyncDispose]();
  });

  const refused =
    (type: string, status: number) =>
    (error: unknown): boolean =>
      error instanceof RefusedError && error.type === type && error.status === status;
  const invalid = refused('InvalidArgumentException', 400);

  it('tells the roles apart by endpoint, or by id on the bare address', async () => {
    const endpoint = `${channel.test.kvs.endpoints.ws}/`;
    const master = await channel.master({ endpoint });
    const viewer = await channel.viewer('v', { endpoint });
    viewer.send(offer('x'));
    await master.messages(1);
    await Promise.all([master.close(), viewer.close()]);
    await assert.rejects(channel.master({ clientId: 'v' }), invalid);
    await assert.rejects(channel.viewer('v', { clientId: undefined }), invalid);
  });

  it('refuses bad ids, unknown channels and wrong keys', async () => {
    await assert.rejects(channel.viewer('a:b'), invalid);
    await assert.rejects(channel.viewer('aws_me'), invalid);
    await assert.rejects(channel.master({ channelArn: undefined }), invalid);
    const channelArn = channel.arn.replace(/\d+$/, '1');
    await assert.rejects(channel.master({ channelArn }), refused('ResourceNotFoundException', 404));
    await assert.rejects(
      channel.master({ secretAccessKey: 'guess' }),
      (error) =>
        refused('InvalidSignatureException', 403)(error) &&
        error instanceof RefusedError &&
        !Number.isNaN(Date.parse(error.date)),
    );
  });

  it('refuses more viewers than allowed, but not the same one again', async () => {
    const viewer = await channel.viewer('one');
    await assert.rejects(channel.viewer('two'), refused('ClientLimitExceededException', 400));
    const again = await channel.viewer('one');
    assert.equal(await viewer.closed(), 1000);
    await again.close();
  });

  it('refuses connects faster than allowed', async () => {
    await using slow = await Channel.open({ connectsPerSecond: 1 });
    const connects = ['a', 'b', 'c', 'd', 'e', 'f'].map(async (id) => slow.viewer(id));
    const outcomes = await Promise.allSettled(connects);
    const reasons = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(reasons.length > 0 && reasons.length < connects.length, String(reasons.length));
    for (const outcome of reasons) {
      assert.ok('reason' in outcome);
      assert.ok(refused('ClientLimitExceededException', 400)(outcome.reason));
    }
  });
});

describe('faults', () => {
  it('sends notices and ends connections, for the peers that are meant', async () => {
    await using channel = await Channel.open({ goAwayGraceMs: 50 });
    const { faults } = channel.test.kvs;
    const master = await channel.master();
    const [one, two] = [await channel.viewer('one'), await channel.viewer('two')];
    assert.equal(faults.sendReconnectIceServer({ role: 'VIEWER' }), 2);
    for (const viewer of [one, two]) {
      assert.deepEqual(await viewer.messages(1), [{ messageType: 'RECONNECT_ICE_SERVER' }]);
    }
    assert.equal(faults.sendGoAway({ clientId: 'one' }), 1);
    assert.equal((await one.messages(2))[1]?.messageType, 'GO_AWAY');
    assert.equal(await one.closed(), 1001);
    assert.equal(faults.dropSignaling({ clientId: 'two', code: 1008 }), 1);
    assert.equal(await two.closed(), 1008);
    assert.equal(faults.dropSignaling({ channelName: 'other' }), 0);
    assert.equal(faults.dropSignaling({ role: 'MASTER' }), 1);
    assert.equal(await master.closed(), 1006);
  });

  it('silences a connection without closing it', async () => {
    await using channel = await Channel.open();
    const master = await channel.master();
    const viewer = await channel.viewer('v');
    assert.equal(channel.test.kvs.faults.silenceSignaling({ role: 'MASTER' }), 1);
    viewer.send(offer('x'));
    await viewer.settled();
    await master.settled();
    assert.deepEqual(master.received, []);
    assert.equal(master.socket.readyState, WebSocket.OPEN);
  });

  it('refuses connects', async () => {
    await using channel = await Channel.open();
    channel.test.kvs.faults.failCalls({ operation: 'ConnectAsMaster', status: 503 });
    await channel.viewer('v');
    await assert.rejects(channel.master(), (error) => error instanceof RefusedError);
    await channel.master();
  });
});

describe('GetIceServerConfig', () => {
  it('answers what is configured, and nothing by default', async () => {
    const uris = ['turn:127.0.0.1:3478?transport=udp'];
    await using channel = await Channel.open(
      {},
      { iceServers: [{ uris, username: '1:u', password: 'p', ttlSeconds: 60 }] },
    );
    const client = new KinesisVideoSignaling(channel.test.client);
    const { IceServerList } = await client.getIceServerConfig({
      ChannelARN: channel.arn,
      ClientId: 'v',
      Service: 'TURN',
    });
    assert.deepEqual(IceServerList, [{ Uris: uris, Username: '1:u', Password: 'p', Ttl: 60 }]);
    const ChannelARN = channel.arn.replace(/\d+$/, '1');
    await assert.rejects(
      client.getIceServerConfig({ ChannelARN }),
      awsError('ResourceNotFoundException', 404),
    );
    client.destroy();
    await using plain = await Channel.open();
    const other = new KinesisVideoSignaling(plain.test.client);
    const answer = await other.getIceServerConfig({ ChannelARN: plain.arn });
    assert.deepEqual(answer.IceServerList, []);
    other.destroy();
  });
});
