/** A local KVS in a folder of its own, for tests of the server itself. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { LocalKvs, localCredentials } from '../../lib/local/index.js';
import type { LocalKvsEvents, LocalKvsOptions } from '../../lib/local/index.js';

const deadlineMs = 10_000;

/** What AWS's stock clients need. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: typeof localCredentials;
  readonly maxAttempts: 1;
}

export class TestKvs implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: Partial<LocalKvsOptions>;
  kvs: LocalKvs;
  control: KinesisVideo;

  private constructor(dataDir: string, options: Partial<LocalKvsOptions>, kvs: LocalKvs) {
    this.dataDir = dataDir;
    this.#options = options;
    this.kvs = kvs;
    this.control = new KinesisVideo(this.client);
  }

  static async start(options: Partial<LocalKvsOptions> = {}): Promise<TestKvs> {
    const dataDir = await mkdtemp(join(tmpdir(), 'kvs-bridge-local-'));
    return new TestKvs(dataDir, options, await LocalKvs.start({ dataDir, ...options }));
  }

  get client(): ClientConfig {
    const { url: endpoint, region } = this.kvs;
    return { endpoint, region, credentials: localCredentials, maxAttempts: 1 };
  }

  /** Stops the server and starts another one on the same folder. */
  async restart(): Promise<void> {
    await this.kvs.close();
    this.kvs = await LocalKvs.start({ dataDir: this.dataDir, ...this.#options });
    this.control.destroy();
    this.control = new KinesisVideo(this.client);
  }

  /** @returns the ARN */
  async createStream(name: string, retentionHours = 1): Promise<string> {
    const { StreamARN = '' } = await this.control.createStream({
      StreamName: name,
      DataRetentionInHours: retentionHours,
    });
    return StreamARN;
  }

  /** @returns the ARN */
  async createChannel(name: string, messageTtlSeconds = 60): Promise<string> {
    const { ChannelARN = '' } = await this.control.createSignalingChannel({
      ChannelName: name,
      SingleMasterConfiguration: { MessageTtlSeconds: messageTtlSeconds },
    });
    return ChannelARN;
  }

  /** The next event of this name that fits. */
  async event<TName extends keyof LocalKvsEvents>(
    name: TName,
    fits: (event: LocalKvsEvents[TName][0]) => boolean = () => true,
  ): Promise<LocalKvsEvents[TName][0]> {
    const signal = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const [event] = (await once(this.kvs, name, { signal })) as LocalKvsEvents[TName];
      if (fits(event)) return event;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.destroy();
    await this.kvs.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Matches an error of an AWS SDK by name and HTTP status. */
export function awsError(name: string, status: number): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof Error) || !('$metadata' in error)) return false;
    const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
    return error.name === name && httpStatusCode === status;
  };
}
