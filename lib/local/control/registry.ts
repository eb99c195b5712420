/** Streams and channels that exist, kept in one file. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ErrorCode, LocalKvsError } from '../../util/errors.js';
import { writeFileAtomically } from '../store/atomic-file.js';
import type { ChannelRecord, StreamRecord } from './records.js';
import { stateSchema } from './records.js';

/** Events of {@link Registry}, after the change is on disk. */
export interface RegistryEvents {
  streamDeleted: [stream: StreamRecord];
  channelDeleted: [channel: ChannelRecord];
  retentionChanged: [stream: StreamRecord];
}

/** Where the resources live. */
export interface RegistryOptions {
  readonly folder: string;
  readonly region: string;
  readonly accountId: string;
}

/** Kinds of resource, as ARNs spell them. */
export type ResourceKind = 'channel' | 'stream';

/** The fields that the registry gives a new resource. */
export type Identity = Pick<StreamRecord, 'arn' | 'createdAtMs' | 'name' | 'version'>;

const fileName = 'resources.json';

export class Registry extends EventEmitter<RegistryEvents> {
  readonly #options: RegistryOptions;
  readonly #path: string;
  readonly #streams = new Map<string, StreamRecord>();
  readonly #channels = new Map<string, ChannelRecord>();
  #lastCreatedAtMs = 0;
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(options: RegistryOptions) {
    super();
    this.#options = options;
    this.#path = join(options.folder, fileName);
  }

  /** @throws {@link LocalKvsError} `KVSB_DATA_FOLDER`, the file holds something else */
  static async open(options: RegistryOptions): Promise<Registry> {
    const registry = new Registry(options);
    await registry.#load();
    return registry;
  }

  get streams(): readonly StreamRecord[] {
    return sortedByName(this.#streams);
  }

  get channels(): readonly ChannelRecord[] {
    return sortedByName(this.#channels);
  }

  streamByName(name: string): StreamRecord | undefined {
    return this.#streams.get(name);
  }

  channelByName(name: string): ChannelRecord | undefined {
    return this.#channels.get(name);
  }

  /** A stream that was deleted and made again has another ARN. */
  streamByArn(arn: string): StreamRecord | undefined {
    return byArn(this.#streams, arn);
  }

  channelByArn(arn: string): ChannelRecord | undefined {
    return byArn(this.#channels, arn);
  }

  /** Name, ARN, version and time for a new resource; no two share a creation time. */
  identity(kind: ResourceKind, name: string): Identity {
    const createdAtMs = Math.max(Date.now(), this.#lastCreatedAtMs + 1);
    this.#lastCreatedAtMs = createdAtMs;
    const { region, accountId } = this.#options;
    return {
      name,
      arn: `arn:aws:kinesisvideo:${region}:${accountId}:${kind}/${name}/${createdAtMs}`,
      version: newVersion(),
      createdAtMs,
    };
  }

  async putStream(stream: StreamRecord): Promise<void> {
    const before = this.#streams.get(stream.name);
    this.#streams.set(stream.name, stream);
    await this.#save();
    if (before !== undefined && before.retentionHours !== stream.retentionHours) {
      this.emit('retentionChanged', stream);
    }
  }

  async putChannel(channel: ChannelRecord): Promise<void> {
    this.#channels.set(channel.name, channel);
    await this.#save();
  }

  async deleteStream(stream: StreamRecord): Promise<void> {
    this.#streams.delete(stream.name);
    await this.#save();
    this.emit('streamDeleted', stream);
  }

  async deleteChannel(channel: ChannelRecord): Promise<void> {
    this.#channels.delete(channel.name);
    await this.#save();
    this.emit('channelDeleted', channel);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#saving;
  }

  async #load(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    const state = v.safeParse(stateSchema, parseJson(text));
    if (!state.success) {
      throw new LocalKvsError(
        ErrorCode.dataFolder,
        `${this.#path} is not a list of resources of this version of the local KVS`,
        { fix: 'Choose another data folder, or delete this one.' },
      );
    }
    for (const stream of state.output.streams) this.#streams.set(stream.name, stream);
    for (const channel of state.output.channels) this.#channels.set(channel.name, channel);
    for (const { createdAtMs } of [...this.#streams.values(), ...this.#channels.values()]) {
      this.#lastCreatedAtMs = Math.max(this.#lastCreatedAtMs, createdAtMs);
    }
  }

  async #save(): Promise<void> {
    const saved = this.#saving.then(async () => {
      const state = { version: 1, streams: this.streams, channels: this.channels };
      await writeFileAtomically(this.#path, `${JSON.stringify(state, undefined, 2)}\n`);
    });
    this.#saving = saved.catch(() => undefined);
    await saved;
  }
}

/** An opaque version; changes with every update. */
export function newVersion(): string {
  return randomBytes(10).toString('hex').slice(0, 20);
}

function sortedByName<T extends { readonly name: string }>(records: ReadonlyMap<string, T>): T[] {
  return [...records.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function byArn<T extends { readonly arn: string }>(
  records: ReadonlyMap<string, T>,
  arn: string,
): T | undefined {
  const record = records.get(arn.split('/')[1] ?? '');
  return record?.arn === arn ? record : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
