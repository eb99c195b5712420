/** What every benchmark needs: a local KVS, a channel with a publishing master, a stream. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from '../lib/aws/control-plane.js';
import { staticCredentials } from '../lib/aws/credentials.js';
import type { CredentialsSource } from '../lib/aws/credentials.js';
import { localCredentials } from '../lib/local/index.js';
import { Command } from './command.js';

/** 720p30 at 2 Mbit/s, H.264 and Opus, from the project's own publisher. */
export interface BenchStack extends AsyncDisposable {
  readonly url: string;
  readonly region: string;
  readonly channel: string;
  readonly channelArn: string;
  readonly stream: string;
  readonly credentials: CredentialsSource;
  /** Endpoint of a viewer's signaling connection. */
  readonly viewerEndpoint: URL;
}

const region = 'us-east-1';

/** Starts it all, each part in a process of its own. */
export async function startBenchStack(): Promise<BenchStack> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-bench-'));
  const local = new Command(['local', '--port', '0', '--data-dir', folder]);
  const ready = await local.event(({ event }) => event === 'ready');
  const url = String(ready['endpoint']);
  const credentials = staticCredentials(localCredentials);
  await using controlPlane = new ControlPlane({ region, endpoint: url, credentials });
  const { arn } = await controlPlane.createChannel('bench');
  await controlPlane.createStream({ name: 'bench', retentionHours: 1 });
  const { wss } = await controlPlane.signalingEndpoints(arn, 'VIEWER');
  const publisher = new Command([
    'publish',
    '--source',
    'test',
    '--channel',
    'bench',
    '--local',
    url,
  ]);
  await publisher.event(({ event }) => event === 'ready');
  return {
    url,
    region,
    channel: 'bench',
    channelArn: arn,
    stream: 'bench',
    credentials,
    viewerEndpoint: wss,
    [Symbol.asyncDispose]: async () => {
      await publisher[Symbol.asyncDispose]();
      await local[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
