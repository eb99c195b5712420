/** Both readings of the AWS documents against each other: our client and the local KVS. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { ControlPlane } from '../../lib/aws/control-plane.js';
import type { SignalingRole } from '../../lib/aws/control-plane.js';
import { staticCredentials } from '../../lib/aws/credentials.js';
import type { AwsCredentials } from '../../lib/aws/credentials.js';
import { LocalKvs, localCredentials } from '../../lib/local/index.js';
import { getIceServers } from '../../lib/signaling/ice-servers.js';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';
import { failsWith } from '../support/signaling-service.js';

const region = 'eu-central-1';
const deadlineMs = 10_000;
const sdpOf = (name: string): string => `v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=${name}\r\nt=0 0\r\n`;
const temporary = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'SECRETKEY',
  sessionToken: 'SESSIONTOKEN/+=',
};

let dataDir: string;
let kvs: LocalKvs;
const opened: SignalingClient[] = [];

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kvs-bridge-signaling-'));
  kvs = await LocalKvs.start({
    dataDir,
    region,
    tls: 'self-signed',
    credentials: [localCredentials, temporary],
    iceServers: [{ uris: ['turn:127.0.0.1:3478?transport=udp'], username: 'u', password: 'p' }],
    // Every test connects to channels of its own, some of them more often than AWS would let it.
    limits: { signaling: { connectsPerSecond: 100 } },
  });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()));
});
after(async () => {
  await kvs.close();
  await rm(dataDir, { recursive: true });
});

const controlPlaneFor = (credentials: AwsCredentials = localCredentials): ControlPlane =>
  new ControlPlane({ region, endpoint: kvs.url, credentials: staticCredentials(credentials) });

async function endpointOf(channelArn: string, role: SignalingRole): Promise<URL> {
  await using controlPlane = controlPlaneFor();
  return (await controlPlane.signalingEndpoints(channelArn, role)).wss;
}

async function createChannel(name: string): Promise<string> {
  await using controlPlane = controlPlaneFor();
  return (await controlPlane.createChannel(name)).arn;
}

async function open(
  channelArn: string,
  clientId?: string,
  keys: AwsCredentials = localCredentials,
): Promise<SignalingClient> {
  const role = clientId === undefined ? 'MASTER' : 'VIEWER';
  const endpoint = await endpointOf(channelArn, role);
  const common = { channelArn, endpoint, region, credentials: staticCredentials(keys) };
  const client = new SignalingClient(
    clientId === undefined
      ? { ...common, role: 'MASTER' }
      : { ...common, role: 'VIEWER', clientId },
  );
  opened.push(client);
  return client;
}

const next = async (
  client: SignalingClient,
  event: 'answer' | 'candidate' | 'closed' | 'goAway' | 'offer' | 'status',
): Promise<unknown> => {
  const args: unknown[] = await once(client, event, { signal: AbortSignal.timeout(deadlineMs) });
  return args[0];
};

describe('control plane of the local KVS', () => {
  it('makes and describes channels and streams', async () => {
    await using controlPlane = controlPlaneFor();
    const channel = await controlPlane.createChannel('made');
    assert.equal(channel.status, 'ACTIVE');
    assert.deepEqual(await controlPlane.createChannel('made'), channel);
    assert.deepEqual(await controlPlane.describeChannel(channel.arn), channel);

    const stream = await controlPlane.createStream({ name: 'kept', retentionHours: 2 });
    assert.equal(stream.retentionHours, 2);
    assert.equal(stream.mediaType, 'video/h264,audio/aac');
    assert.deepEqual(await controlPlane.describeStream('kept'), stream);
    assert.equal(new URL(await controlPlane.putMediaEndpoint(stream.arn)).protocol, 'http:');
  });

  it('knows what is not there', async () => {
    await using controlPlane = controlPlaneFor();
    await assert.rejects(
      controlPlane.describeChannel('absent'),
      failsWith('KVSB_CHANNEL_NOT_FOUND', '"absent"'),
    );
    await assert.rejects(
      controlPlane.describeStream('absent'),
      failsWith('KVSB_STREAM_NOT_FOUND', '"absent"'),
    );
  });

  it('tells whether AWS would record the channel itself', async () => {
    await using controlPlane = controlPlaneFor();
    const { arn } = await controlPlane.createChannel('stored');
    const stream = await controlPlane.createStream({ name: 'stored', retentionHours: 1 });
    assert.equal((await controlPlane.mediaStorage(arn)).enabled, false);
    const stock = new KinesisVideo({ region, endpoint: kvs.url, credentials: localCredentials });
    await stock.updateMediaStorageConfiguration({
      ChannelARN: arn,
      MediaStorageConfiguration: { Status: 'ENABLED', StreamARN: stream.arn },
    });
    stock.destroy();
    assert.deepEqual(await controlPlane.mediaStorage(arn), {
      enabled: true,
      streamArn: stream.arn,
    });
  });

  it('refuses wrong keys, and takes temporary ones', async () => {
    const { accessKeyId } = localCredentials;
    for (const wrong of [
      { accessKeyId: 'unknown', secretAccessKey: 'x' },
      { accessKeyId, secretAccessKey: 'wrong' },
      { ...temporary, sessionToken: 'other' },
    ]) {
      await using controlPlane = controlPlaneFor(wrong);
      await assert.rejects(controlPlane.describeChannel('any'), failsWith('KVSB_CREDENTIALS'));
    }
    await using controlPlane = controlPlaneFor(temporary);
    await assert.rejects(
      controlPlane.describeChannel('absent'),
      failsWith('KVSB_CHANNEL_NOT_FOUND'),
    );
  });

  it('hands out TURN servers', async () => {
    await using controlPlane = controlPlaneFor();
    const { arn } = await controlPlane.createChannel('turn');
    const { https } = await controlPlane.signalingEndpoints(arn, 'VIEWER');
    const { servers, ttlSeconds } = await getIceServers({
      endpoint: https,
      channelArn: arn,
      clientId: 'viewer-1',
      region,
      credentials: staticCredentials(localCredentials),
      stunUri: null,
    });
    assert.deepEqual(servers, [
      { urls: ['turn:127.0.0.1:3478?transport=udp'], username: 'u', credential: 'p' },
    ]);
    assert.equal(ttlSeconds, 300);
  });
});

describe('signaling over the local KVS', () => {
  it('carries an exchange between a master and two viewers', async () => {
    const channelArn = await createChannel('exchange');
    const master = await open(channelArn);
    await master.connect();
    for (const clientId of ['viewer-a', 'viewer-b']) {
      const viewer = await open(channelArn, clientId);
      await viewer.connect();
      const offered = next(master, 'offer');
      viewer.sendOffer(sdpOf(clientId));
      assert.deepEqual(await offered, { sdp: sdpOf(clientId), senderClientId: clientId });

      const trickled = next(master, 'candidate');
      const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 };
      viewer.sendCandidate(candidate);
      assert.deepEqual(await trickled, { candidate, senderClientId: clientId });

      const answered = next(viewer, 'answer');
      const back = next(viewer, 'candidate');
      master.sendAnswer(sdpOf('answer'), clientId);
      master.sendCandidate({ candidate: '' }, clientId);
      assert.deepEqual(await answered, { sdp: sdpOf('answer') });
      assert.deepEqual(await back, { candidate: { candidate: '' } });
    }
  });

  it('keeps the order of what waits for a master, and nothing is lost on arrival', async () => {
    const channelArn = await createChannel('mailbox');
    const viewer = await open(channelArn, 'early');
    await viewer.connect();
    viewer.sendOffer(sdpOf('kept'));
    for (let index = 0; index < 10; index += 1) {
      viewer.sendCandidate({ candidate: `candidate:${String(index)}` });
    }
    const master = await open(channelArn);
    const arrived: string[] = [];
    const complete = new Promise<void>((resolve) => {
      master.on('offer', ({ sdp }) => arrived.push(sdp));
      master.on('candidate', ({ candidate }) => {
        arrived.push(candidate.candidate);
        if (arrived.length === 11) resolve();
      });
    });
    await master.connect();
    await complete;
    assert.deepEqual(arrived, [
      sdpOf('kept'),
      ...Array.from({ length: 10 }, (_, index) => `candidate:${String(index)}`),
    ]);
  });

  it('stays within the rate that the service enforces', async () => {
    const channelArn = await createChannel('rate');
    const master = await open(channelArn);
    await master.connect();
    const viewer = await open(channelArn, 'fast');
    viewer.on('status', (status) => {
      assert.fail(`refused: ${JSON.stringify(status)}`);
    });
    await viewer.connect();
    const names: string[] = [];
    const complete = new Promise<void>((resolve) => {
      master.on('candidate', ({ candidate }) => {
        names.push(candidate.candidate);
        if (names.length === 45) resolve();
      });
    });
    for (let index = 0; index < 45; index += 1) {
      viewer.sendCandidate({ candidate: String(index) });
    }
    await complete;
    assert.deepEqual(
      names,
      Array.from({ length: 45 }, (_, index) => String(index)),
    );
  });

  it('works over TLS with the certificate given, and with temporary keys', async () => {
    const channelArn = await createChannel('secure');
    const { https } = kvs.endpoints;
    assert.ok(https !== undefined && kvs.caPem !== undefined);
    const credentials = staticCredentials(temporary);
    const options = { region, credentials, ca: kvs.caPem };
    await using controlPlane = new ControlPlane({ ...options, endpoint: https });
    const { wss } = await controlPlane.signalingEndpoints(channelArn, 'MASTER');
    assert.equal(wss.protocol, 'wss:');
    await using trusting = new SignalingClient({
      ...options,
      role: 'MASTER',
      channelArn,
      endpoint: wss,
    });
    await trusting.connect();
    await using distrusting = new SignalingClient({
      role: 'MASTER',
      channelArn,
      endpoint: wss,
      region,
      credentials,
    });
    await assert.rejects(distrusting.connect(), failsWith('KVSB_SIGNALING', 'SELF_SIGNED'));
  });

  it('is told when the service goes away, and when another takes its place', async () => {
    const channelArn = await createChannel('away');
    const first = await open(channelArn, 'same');
    await first.connect();
    const warned = next(first, 'goAway');
    assert.equal(kvs.faults.sendGoAway({ channelName: 'away' }), 1);
    await warned;
    const closed = next(first, 'closed');
    const second = await open(channelArn, 'same');
    await second.connect();
    await closed;
    const master = await open(channelArn);
    await master.connect();
    const offered = next(master, 'offer');
    second.sendOffer(sdpOf('second'));
    await offered;
  });

  it('notices a connection that is cut', async () => {
    const channelArn = await createChannel('cut');
    const client = await open(channelArn);
    await client.connect();
    const closed = next(client, 'closed');
    assert.equal(kvs.faults.dropSignaling({ channelName: 'cut' }), 1);
    assert.deepEqual(await closed, { code: 1006, reason: '', wasClean: false });
  });

  it('refuses wrong keys and unknown channels at the handshake', async () => {
    const channelArn = await createChannel('guarded');
    const wrong = await open(channelArn, 'v', { ...localCredentials, secretAccessKey: 'wrong' });
    await assert.rejects(wrong.connect(), failsWith('KVSB_CREDENTIALS'));
    const endpoint = await endpointOf(channelArn, 'VIEWER');
    await using absent = new SignalingClient({
      role: 'VIEWER',
      clientId: 'v',
      channelArn: `arn:aws:kinesisvideo:${region}:123456789012:channel/absent/1551924009774`,
      endpoint,
      region,
      credentials: staticCredentials(localCredentials),
    });
    await assert.rejects(absent.connect(), failsWith('KVSB_CHANNEL_NOT_FOUND', '"absent"'));
  });
});
