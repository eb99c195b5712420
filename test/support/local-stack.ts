/** A local KVS with one channel and one stream, and AWS's stock clients to read it back. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KinesisVideoArchivedMedia } from '@aws-sdk/client-kinesis-video-archived-media';
import type { Fragment } from '@aws-sdk/client-kinesis-video-archived-media';
import { ControlPlane } from '../../lib/aws/control-plane.js';
import { staticCredentials } from '../../lib/aws/credentials.js';
import type { AwsCredentials } from '../../lib/aws/credentials.js';
import { LocalKvs, localCredentials } from '../../lib/local/index.js';
import type { LocalKvsOptions } from '../../lib/local/index.js';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';

const region = 'us-east-1';

/** A running local KVS. */
export class LocalStack implements AsyncDisposable {
  readonly kvs: LocalKvs;
  readonly folder: string;
  readonly channel = 'front-door';
  readonly stream = 'front-door-archive';
  readonly region = region;
  readonly credentials: AwsCredentials = localCredentials;
  readonly channelArn: string;

  private constructor(kvs: LocalKvs, folder: string, channelArn: string) {
    this.kvs = kvs;
    this.folder = folder;
    this.channelArn = channelArn;
  }

  /** Starts it in a folder of its own; channel and stream exist. */
  static async start(options: Partial<LocalKvsOptions> = {}): Promise<LocalStack> {
    const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-stack-'));
    // What bridges keep goes here by default, those of commands too: never into somebody's home.
    // Tests that run stacks beside one another name theirs: `spoolDir`.
    process.env['STATE_DIRECTORY'] = join(folder, 'state');
    const kvs = await LocalKvs.start({
      dataDir: join(folder, 'data'),
      port: 0,
      region,
      ...options,
    });
    await using controlPlane = LocalStack.#controlPlane(kvs);
    const { arn } = await controlPlane.createChannel('front-door');
    await controlPlane.createStream({ name: 'front-door-archive', retentionHours: 1 });
    return new LocalStack(kvs, folder, arn);
  }

  static #controlPlane(kvs: LocalKvs): ControlPlane {
    return new ControlPlane({
      region,
      endpoint: kvs.url,
      credentials: staticCredentials(localCredentials),
    });
  }

  /** What KvsBridge and TestMaster need to reach it. */
  get connection(): {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: AwsCredentials;
    readonly stunUri: null;
    readonly channel: string;
  } {
    return {
      endpoint: this.kvs.url,
      region,
      credentials: this.credentials,
      stunUri: null,
      channel: this.channel,
    };
  }

  /** What to connect with instead, over TLS; the local KVS was started with a certificate of its own. */
  get tls(): { readonly endpoint: string; readonly ca: string } {
    const { caPem, endpoints } = this.kvs;
    if (endpoints.https === undefined || caPem === undefined)
      throw new Error('started without TLS');
    return { endpoint: endpoints.https, ca: caPem };
  }

  /** Where a Bridge of this stack keeps what outlives it. */
  get spoolDir(): string {
    return join(this.folder, 'state');
  }

  controlPlane(): ControlPlane {
    return LocalStack.#controlPlane(this.kvs);
  }

  /** A master's signaling client for the channel, not connected yet. */
  async signalingMaster(): Promise<SignalingClient> {
    await using controlPlane = this.controlPlane();
    const { wss } = await controlPlane.signalingEndpoints(this.channelArn, 'MASTER');
    return new SignalingClient({
      role: 'MASTER',
      channelArn: this.channelArn,
      endpoint: wss,
      region,
      credentials: staticCredentials(this.credentials),
    });
  }

  /** Every stored fragment, oldest first, by ListFragments. */
  async listFragments(): Promise<readonly Fragment[]> {
    const client = this.#archive();
    const fragments: Fragment[] = [];
    let next: string | undefined;
    do {
      const page = await client.listFragments({
        StreamName: this.stream,
        ...(next === undefined ? {} : { NextToken: next }),
      });
      fragments.push(...(page.Fragments ?? []));
      next = page.NextToken;
    } while (next !== undefined);
    client.destroy();
    return fragments.sort(
      (a, b) => (a.ProducerTimestamp?.getTime() ?? 0) - (b.ProducerTimestamp?.getTime() ?? 0),
    );
  }

  /**
   * Reads fragments back by GetMediaForFragmentList, one call each.
   *
   * @returns a Matroska file of each, in order
   */
  async readFragments(fragments: readonly Fragment[]): Promise<readonly string[]> {
    const client = this.#archive();
    const files: string[] = [];
    for (const [index, { FragmentNumber: number = '' }] of fragments.entries()) {
      const { Payload } = await client.getMediaForFragmentList({
        StreamName: this.stream,
        Fragments: [number],
      });
      const file = join(this.folder, `fragment-${String(index).padStart(4, '0')}.mkv`);
      await writeFile(file, (await Payload?.transformToByteArray()) ?? new Uint8Array());
      files.push(file);
    }
    client.destroy();
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kvs.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #archive(): KinesisVideoArchivedMedia {
    return new KinesisVideoArchivedMedia({
      region,
      endpoint: this.kvs.url,
      credentials: this.credentials,
    });
  }
}
