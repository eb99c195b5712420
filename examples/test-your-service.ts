/**
 * Tests a service that records, without AWS: a local KVS and a test master in the test's process.
 *
 * `clip` stands for your service. The test looks at what KVS stored, not at what the service says of
 * itself: the master's pictures are numbered, so that a missing one shows.
 *
 * Run it: `node --test dist/examples/test-your-service.js`
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  KvsBridge,
  LocalKvs,
  TestMaster,
  analyzeRecording,
  localCredentials,
  writeRecording,
} from 'kvs-bridge';
import type { BridgeTotals, KvsBridgeOptions } from 'kvs-bridge';

/** The service: records until so many fragments are stored. */
async function clip(options: KvsBridgeOptions, fragments: number): Promise<BridgeTotals> {
  await using bridge = new KvsBridge(options);
  await bridge.start();
  while (bridge.totals.fragmentsPersisted < fragments) await once(bridge, 'persisted');
  return (await bridge.stop()).totals;
}

describe('clip', { timeout: 60_000 }, () => {
  let folder: string;
  let kvs: LocalKvs;
  let master: TestMaster;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clip-'));
    // Port 0: tests that run at the same time do not meet.
    kvs = await LocalKvs.start({ dataDir: join(folder, 'kvs'), port: 0, region: 'us-east-1' });
    master = new TestMaster({ ...place(), createChannel: true, width: 480, height: 270 });
    await master.start();
  });

  after(async () => {
    await master[Symbol.asyncDispose]();
    await kvs.close();
    await rm(folder, { recursive: true });
  });

  it('stores every picture that it received', async () => {
    const stream = 'clips';
    const spoolDir = join(folder, 'spool');
    const totals = await clip({ ...place(), stream, createStream: true, spoolDir }, 2);

    const { paths } = await writeRecording({ kvs, stream, path: join(folder, 'clip.mkv') });
    assert.equal(paths.length, 1);
    const { videoFrames, missingCounters } = await analyzeRecording(join(folder, 'clip.mkv'));
    assert.equal(videoFrames, totals.videoFramesReceived);
    assert.equal(missingCounters, 0);
  });

  function place(): Pick<
    KvsBridgeOptions,
    'channel' | 'credentials' | 'endpoint' | 'region' | 'stunUri'
  > & { readonly credentials: typeof localCredentials } {
    return {
      endpoint: kvs.url,
      region: kvs.region,
      credentials: localCredentials,
      stunUri: null,
      channel: 'front-door',
    };
  }
});
