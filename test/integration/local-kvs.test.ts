import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { LocalKvs, localCredentials } from '../../lib/local/index.js';
import { PutMediaConnection } from '../../lib/putmedia/connection.js';
import { ErrorCode, LocalKvsError, OptionsError } from '../../lib/util/errors.js';
import { TestKvs } from '../support/local-kvs.js';

describe('LocalKvs', () => {
  it('has after a restart what it had before', async () => {
    await using test = await TestKvs.start();
    const streamArn = await test.createStream('kept', 7);
    const channelArn = await test.createChannel('kept', 9);
    await test.control.tagStream({ StreamARN: streamArn, Tags: { a: 'b' } });
    const before = await test.control.describeStream({ StreamName: 'kept' });
    await test.restart();
    const after = await test.control.describeStream({ StreamName: 'kept' });
    assert.deepEqual(after.StreamInfo, before.StreamInfo);
    assert.deepEqual((await test.control.listTagsForStream({ StreamName: 'kept' })).Tags, {
      a: 'b',
    });
    const { ChannelInfo } = await test.control.describeSignalingChannel({ ChannelName: 'kept' });
    assert.equal(ChannelInfo?.ChannelARN, channelArn);
  });

  it('serves https beside http, and answers each caller in kind', async () => {
    await using test = await TestKvs.start({ tls: 'self-signed' });
    const { caPem: ca } = test.kvs;
    const { http, https = '', wss = '' } = test.kvs.endpoints;
    assert.equal(test.kvs.wssUrl, wss);
    const health = await new Promise<number | undefined>((resolve, reject) => {
      request(`${https}/nothing`, { method: 'POST', ca }, ({ statusCode }) => {
        resolve(statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(health, 404);
    await test.createStream('s');
    const endpoint = await test.control.getDataEndpoint({ StreamName: 's', APIName: 'PUT_MEDIA' });
    assert.equal(endpoint.DataEndpoint, http);
    await test.restart();
    assert.equal(test.kvs.caPem, ca, 'the certificate is kept');
  });

  it('closes in the middle of an upload over TLS', async () => {
    await using test = await TestKvs.start({ tls: 'self-signed' });
    await test.createStream('s');
    const upload = new PutMediaConnection({
      endpoint: test.kvs.endpoints.https ?? '',
      ca: test.kvs.caPem ?? '',
      region: test.kvs.region,
      streamName: 's',
      credentials: () => Promise.resolve(localCredentials),
    });
    await once(upload, 'accepted');
    const closed = once(upload, 'closed');
    await test.kvs.close();
    await closed;
  });

  it('closes twice', async () => {
    await using test = await TestKvs.start();
    await Promise.all([test.kvs.close(), test.kvs.close()]);
    await test.kvs.close();
  });

  it('names a port that is taken', async () => {
    await using test = await TestKvs.start();
    const dataDir = join(test.dataDir, 'other');
    const port = Number(new URL(test.kvs.url).port);
    const isTaken = (error: unknown): boolean =>
      error instanceof LocalKvsError &&
      error.code === ErrorCode.portUnavailable &&
      error.message.includes(String(port)) &&
      error.fix !== undefined;
    await assert.rejects(LocalKvs.start({ dataDir, port }), isTaken);
    // Nothing is left behind that would keep a second try from working.
    await using again = await LocalKvs.start({ dataDir });
    assert.ok(again.url);
  });

  it('names a data folder that it cannot use', async () => {
    const root = await mkdtemp(join(tmpdir(), 'kvs-bridge-folder-'));
    const isFolder = (error: unknown): boolean =>
      error instanceof LocalKvsError &&
      error.code === ErrorCode.dataFolder &&
      error.message.includes(root) &&
      error.fix !== undefined;
    await writeFile(join(root, 'file'), '');
    await assert.rejects(LocalKvs.start({ dataDir: join(root, 'file') }), isFolder);
    await mkdir(join(root, 'foreign', 'streams', 'precious'), { recursive: true });
    await assert.rejects(LocalKvs.start({ dataDir: join(root, 'foreign') }), isFolder);
    await mkdir(join(root, 'broken'));
    await writeFile(join(root, 'broken', 'resources.json'), '{"version":99}');
    await assert.rejects(LocalKvs.start({ dataDir: join(root, 'broken') }), isFolder);
    await using first = await LocalKvs.start({ dataDir: join(root, 'shared') });
    await assert.rejects(LocalKvs.start({ dataDir: join(root, 'shared') }), isFolder);
    await first.close();
    await rm(root, { recursive: true });
  });

  it('takes over the folder of a server that died', async () => {
    await using test = await TestKvs.start();
    await test.kvs.close();
    await writeFile(join(test.dataDir, 'lock'), '1 424242');
    await test.restart();
  });

  it('names a wrong option', async () => {
    for (const [options, option] of [
      [{ port: 70_000 }, 'port'],
      [{ credentials: [] }, 'credentials'],
      [{ limits: { ingest: { maxTracks: 0 } } }, 'limits.ingest.maxTracks'],
      [{ region: 'nowhere' }, 'region'],
    ] as const) {
      await assert.rejects(
        LocalKvs.start({ dataDir: '/nonexistent', ...options }),
        (error) => error instanceof OptionsError && error.option === option,
      );
    }
  });

  it('knows temporary credentials', async () => {
    const temporary = { accessKeyId: 'ASIATEST', secretAccessKey: 's', sessionToken: 'token' };
    await using test = await TestKvs.start({ credentials: [localCredentials, temporary] });
    const client = new KinesisVideo({ ...test.client, credentials: temporary });
    await client.listStreams({});
    client.destroy();
  });
});
