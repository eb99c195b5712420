/** Test master, local KVS and a Bridge with a chosen sink: one recording from its start to its end. */
import { KvsBridge, TestMaster } from '../../lib/index.js';
import type {
  BridgeEnd,
  KvsBridgeError,
  KvsBridgeEvents,
  KvsBridgeOptions,
  LocalKvsOptions,
  MediaEpoch,
  PersistedFragment,
  TestMasterOptions,
} from '../../lib/index.js';
import { eventThat } from './events.js';
import { LocalStack } from './local-stack.js';
import { sinkOptions } from './sinks.js';
import type { SinkName } from './sinks.js';
import { readStoredMedia } from './stored-media.js';
import type { StoredMedia } from './stored-media.js';

/** What differs from the usual. */
export interface RecordingSessionOptions {
  readonly bridge?: Partial<KvsBridgeOptions>;
  readonly master?: Partial<TestMasterOptions>;
  readonly kvs?: Partial<LocalKvsOptions>;
  /** Everybody speaks TLS to the local KVS and is told its authority. */
  readonly overTls?: boolean;
}

/** Short fragments and a small picture: tests see much in little time. */
const quick = {
  // A long jitter buffer: a busy machine must not look like a bad network.
  bridge: { fragmentTargetMs: 1_000, jitterBufferMs: 1_000 },
  master: { width: 640, height: 360, videoBitrateBps: 600_000 },
} as const;

const deadlineMs = 40_000;

/** A recording that runs. */
export class RecordingSession implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly master: TestMaster;
  readonly bridge: KvsBridge;
  readonly persisted: PersistedFragment[] = [];
  readonly epochs: MediaEpoch[] = [];
  readonly warnings: KvsBridgeError[] = [];
  readonly lost: KvsBridgeEvents['lost'][0][] = [];

  private constructor(stack: LocalStack, master: TestMaster, bridge: KvsBridge) {
    this.stack = stack;
    this.master = master;
    this.bridge = bridge;
    bridge.on('persisted', (fragment) => this.persisted.push(fragment));
    bridge.on('epoch', (epoch) => this.epochs.push(epoch));
    bridge.on('warning', (error) => this.warnings.push(error));
    bridge.on('lost', (loss) => this.lost.push(loss));
  }

  /** Starts it all; resolves when the offer is out. */
  static async start(
    sink: SinkName,
    options: RecordingSessionOptions = {},
  ): Promise<RecordingSession> {
    const tls = options.overTls === true ? ({ tls: 'self-signed' } as const) : {};
    const stack = await LocalStack.start({ ...tls, ...options.kvs });
    const { spoolDir, stream } = stack;
    const connection = { ...stack.connection, ...(options.overTls === true ? stack.tls : {}) };
    const master = new TestMaster({ ...connection, ...quick.master, ...options.master });
    const bridge = new KvsBridge({
      ...connection,
      ...{ spoolDir, stream },
      ...quick.bridge,
      ...sinkOptions(sink),
      ...options.bridge,
    });
    const session = new RecordingSession(stack, master, bridge);
    try {
      await master.start();
      await bridge.start();
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until so many more fragments are persisted. */
  async untilPersisted(fragments: number): Promise<void> {
    const goal = this.persisted.length + fragments;
    await eventThat(this.bridge, 'persisted', () => this.persisted.length >= goal, deadlineMs);
  }

  /** Stops the Bridge and reads back what is stored. */
  async finish(): Promise<{ readonly end: BridgeEnd; readonly media: StoredMedia }> {
    const end = await this.bridge.stop();
    return { end, media: await readStoredMedia(this.stack) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge.stop();
    await this.master.stop();
    await this.stack[Symbol.asyncDispose]();
  }
}
