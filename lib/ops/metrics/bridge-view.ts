/** What the metrics of one Bridge are read from: the Bridge itself, and what its events add up to. */
import { BridgeState } from '../../bridge/events.js';
import type { KvsBridgeEvents, StateChange } from '../../bridge/events.js';
import type { KvsBridge } from '../../bridge/kvs-bridge.js';
import { GapCause } from '../../ledger/gap-causes.js';
import { follow } from '../follow.js';

/** Counts of gaps with one cause. */
export interface GapSums {
  readonly count: number;
  readonly ms: number;
}

/** Longest time between two reports that is taken for one of uninterrupted media, in ms. */
const longestReportMs = 3_000;

/** Who is told of single measurements, as histograms need them. */
export interface ViewHandlers {
  /** @param lagMs - from the end of a fragment to its PERSISTED */
  readonly onPersisted: (lagMs: number) => void;
  /** @param lagMs - of a media process's event loop within a second */
  readonly onMediaProcessLag: (lagMs: number) => void;
}

/** Follows one Bridge. */
export class BridgeView implements Disposable {
  readonly bridge: KvsBridge;
  readonly stateChanges = new Map<BridgeState, number>(
    Object.values(BridgeState).map((state) => [state, 0]),
  );
  /** By the code of the error that made it necessary; `none` where a session just ended. */
  readonly reconnects = new Map<string, number>();
  /** Every cause from the start: a counter's first step counts only from a 0 that was seen. */
  readonly gaps = new Map<GapCause, GapSums>(
    Object.values(GapCause).map((cause) => [cause, { count: 0, ms: 0 }]),
  );
  epochs = 0;
  /** What KVS persisted, that of earlier sessions included: nothing is missing after a crash. */
  readonly stored = { fragments: 0, video: 0, audio: 0, bytes: 0 };
  /** When the last PERSISTED of live media came, Unix epoch ms; 0 before the first. */
  lastPersistedAtMs = 0;
  relayedMs = 0;
  spool: KvsBridgeEvents['spool'][0] | undefined;
  readonly #counted = new Map<string, number>();
  readonly #stopListening: () => void;
  #reportedAtMs = 0;

  constructor(bridge: KvsBridge, { onPersisted, onMediaProcessLag }: ViewHandlers) {
    this.bridge = bridge;
    this.#stopListening = follow(bridge, {
      state: (change) => {
        this.#onState(change);
      },
      gap: ({ cause, fromMs, toMs }) => {
        const { count = 0, ms = 0 } = this.gaps.get(cause) ?? {};
        this.gaps.set(cause, { count: count + 1, ms: ms + toMs - fromMs });
      },
      epoch: () => (this.epochs += 1),
      spool: (status) => (this.spool = status),
      persisted: ({ lagMs, recovered, videoFrames, audioFrames, bytes }) => {
        this.stored.fragments += 1;
        this.stored.video += videoFrames;
        this.stored.audio += audioFrames;
        this.stored.bytes += bytes;
        if (recovered === true) return;
        this.lastPersistedAtMs = Date.now();
        onPersisted(lagMs);
      },
      stats: ({ path, mediaProcesses }) => {
        this.#countRelayed(path?.local === 'relay' || path?.remote === 'relay');
        if (mediaProcesses.residentBytes > 0) onMediaProcessLag(mediaProcesses.eventLoopLagMs);
      },
    });
  }

  /** The largest value so far: what a Bridge corrects downwards would look like a restart. */
  neverFalling(key: string, value: number): number {
    const largest = Math.max(value, this.#counted.get(key) ?? 0);
    this.#counted.set(key, largest);
    return largest;
  }

  [Symbol.dispose](): void {
    this.#stopListening();
  }

  #countRelayed(isRelayed: boolean): void {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#reportedAtMs, longestReportMs);
    this.#reportedAtMs = nowMs;
    if (isRelayed) this.relayedMs += passedMs;
  }

  #onState({ state, previous, code }: StateChange): void {
    if (state === previous) return;
    this.stateChanges.set(state, (this.stateChanges.get(state) ?? 0) + 1);
    if (state !== BridgeState.reconnecting) return;
    const cause = code ?? 'none';
    this.reconnects.set(cause, (this.reconnects.get(cause) ?? 0) + 1);
  }
}
