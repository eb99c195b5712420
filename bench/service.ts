/** What is recorded from and to: a local KVS with TLS, channels with a master each, and streams. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlPlane } from '../lib/aws/control-plane.js';
import { staticCredentials } from '../lib/aws/credentials.js';
import type { CredentialsSource } from '../lib/aws/credentials.js';
import { localCredentials } from '../lib/local/index.js';
import { ForkedModule } from './child.js';
import type { KvsReady, KvsReport } from './kvs-messages.js';
import { makeFolder, removeFolder } from './leftovers.js';
import { Senders } from './senders.js';

const region = 'us-east-1';

/** How to join one channel. */
export interface ServiceAccess {
  readonly channelArn: string;
  readonly endpoint: { readonly master: URL; readonly viewer: URL };
  readonly region: string;
  readonly credentials: CredentialsSource;
  readonly ca: string;
}

/** What a {@link Service} is made from. */
export interface ServiceOptions {
  /** The program of bench/sender. */
  readonly senderExecutable: string;
  readonly codec?: 'h264' | 'vp8';
  /** Channels, and streams of the same names. @defaultValue 1 */
  readonly channels?: number;
}

/** Runs until it is disposed of. */
export class Service implements AsyncDisposable {
  readonly url: string;
  readonly ca: string;
  readonly caFile: string;
  /** Holds what is stored, and may hold what recorders keep. */
  readonly folder: string;
  readonly senders: Senders;
  readonly #kvs: ForkedModule<KvsReady | KvsReport>;
  readonly #channels: readonly ServiceAccess[];

  private constructor(
    folder: string,
    { url, ca }: KvsReady,
    kvs: ForkedModule<KvsReady | KvsReport>,
    senders: Senders,
    channels: readonly ServiceAccess[],
  ) {
    this.folder = folder;
    this.caFile = join(folder, 'ca.pem');
    this.url = url;
    this.ca = ca;
    this.senders = senders;
    this.#kvs = kvs;
    this.#channels = channels;
  }

  /** Each part in a process of its own. */
  static async start(options: ServiceOptions): Promise<Service> {
    const { senderExecutable, codec = 'h264', channels = 1 } = options;
    const folder = await makeFolder();
    const kvs = new ForkedModule<KvsReady | KvsReport>('./kvs-process.js', [join(folder, 'kvs')]);
    const ready = await kvs.next('ready');
    await writeFile(join(folder, 'ca.pem'), ready.ca);
    const senders = await Senders.start(senderExecutable, codec);
    const { url, ca } = ready;
    const credentials = staticCredentials(localCredentials);
    await using controlPlane = new ControlPlane({ region, endpoint: url, ca, credentials });
    const joined: ServiceAccess[] = [];
    for (let index = 0; index < channels; index += 1) {
      const { arn: channelArn } = await controlPlane.createChannel(channelName(index));
      await controlPlane.createStream({ name: channelName(index), retentionHours: 1 });
      const master = await controlPlane.signalingEndpoints(channelArn, 'MASTER');
      const viewer = await controlPlane.signalingEndpoints(channelArn, 'VIEWER');
      const endpoint = { master: master.wss, viewer: viewer.wss };
      const channel = { channelArn, endpoint, region, credentials, ca };
      await senders.serve(channel);
      joined.push(channel);
    }
    return new Service(folder, ready, kvs, senders, joined);
  }

  get kvsPid(): number {
    return this.#kvs.pid;
  }

  /** Access to the channel of this number. */
  channel(index: number): ServiceAccess {
    const channel = this.#channels[index];
    if (channel === undefined) throw new RangeError(`there is no channel ${index}`);
    return channel;
  }

  /** Forgets what arrived so far. */
  beginReport(): void {
    this.#kvs.send({ type: 'begin' });
  }

  /** What arrived since {@link beginReport}. */
  async report(): Promise<KvsReport> {
    const report = this.#kvs.next('report');
    this.#kvs.send({ type: 'report' });
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.senders[Symbol.asyncDispose]();
    await this.#kvs[Symbol.asyncDispose]();
    await removeFolder(this.folder);
  }
}

/** Name of the channel of this number, and of its stream. */
export function channelName(index: number): string {
  return `bench-${index}`;
}
