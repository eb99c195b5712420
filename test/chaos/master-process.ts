/** The master of a chaos run, whose frames carry numbers that never come again. */
import { TestMaster } from '../../lib/index.js';
import type { TestMasterOptions } from '../../lib/index.js';
import { serve, tell } from './remote.js';
import { TcpRelay } from './tcp-relay.js';
import type { Address } from './tcp-relay.js';

/** A viewer's stream, as the master tells of it. */
export interface SentStream {
  readonly state: 'offered' | 'connected' | 'closed';
  readonly firstFrame: number;
  readonly framesSent: number;
}

let master: TestMaster | undefined;

const calls = {
  /** With a `path` to KVS where this host has none of its own. */
  async start(options: {
    readonly path?: { readonly listenAt: Address; readonly target: Address };
    readonly master: TestMasterOptions;
  }): Promise<void> {
    if (options.path !== undefined) {
      await new TcpRelay(options.path.listenAt, options.path.target).listen();
    }
    master = new TestMaster(options.master);
    master.on('viewer', (viewer) => {
      tell('stream', viewer satisfies SentStream);
    });
    master.on('framesSent', (frames) => {
      tell('framesSent', frames);
    });
    await master.start();
  },
  setSending(sending: { readonly video: boolean; readonly audio: boolean }): void {
    master?.setSending(sending);
  },
  changeVideoSsrc(): void {
    master?.changeVideoSsrc();
  },
  /** @returns how many frames it sent */
  async stop(): Promise<number> {
    await master?.stop();
    return master?.framesSent ?? 0;
  },
};

/** What it can be asked. */
export type MasterCalls = typeof calls;

serve(calls);
