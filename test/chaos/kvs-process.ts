/** The local KVS of a chaos run, in a process of its own. */
import { LocalKvs } from '../../lib/local/index.js';
import type { Faults, LocalKvsOptions } from '../../lib/local/index.js';
import { serve } from './remote.js';

/** A fault by its name in `Faults`, with its argument. */
export type KvsFault = {
  readonly [Name in Exclude<keyof Faults, 'clear'>]: {
    readonly name: Name;
    readonly argument: Parameters<Faults[Name]>[0];
  };
}[Exclude<keyof Faults, 'clear'>];

let kvs: LocalKvs | undefined;
const endedUploads: string[] = [];

const calls = {
  async start(options: LocalKvsOptions): Promise<void> {
    kvs = await LocalKvs.start(options);
    kvs.on('putMedia', ({ kind, cause = '' }) => {
      if (kind === 'closed') endedUploads.push(cause);
    });
  },
  /** Those that last do so until `clear`. */
  fault({ name, argument }: KvsFault): void {
    if (kvs === undefined) throw new Error('the KVS has not started');
    // Name and argument belong together by their type.
    const faults = kvs.faults as unknown as Record<string, (argument: unknown) => unknown>;
    faults[name]?.(argument);
  },
  clear(): void {
    kvs?.faults.clear();
  },
  /** @returns why each ended */
  endedUploads(): readonly string[] {
    return endedUploads;
  },
  async close(): Promise<void> {
    await kvs?.close();
  },
};

/** What it can be asked. */
export type KvsCalls = typeof calls;

serve(calls);
