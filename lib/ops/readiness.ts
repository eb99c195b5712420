/** Whether a Bridge keeps what its master sends. */
import { BridgeState } from '../bridge/events.js';
import type { KvsBridge } from '../bridge/kvs-bridge.js';

/** What `/readyz` tells of one Bridge. */
export interface Readiness {
  readonly ready: boolean;
  readonly channel: string;
  readonly stream: string;
  readonly state: BridgeState;
  /** Why it is in this state; absent where the state says it all. */
  readonly reason?: string;
  /** Since when, ISO 8601; absent before it was started. */
  readonly since?: string;
}

/** `recording` is the state with a PERSISTED within the persist timeout, and no other is. */
export function readinessOf(bridge: KvsBridge): Readiness {
  const { state, history, settings } = bridge;
  const { channel, stream } = settings;
  const change = history.at(-1);
  return {
    ready: state === BridgeState.recording,
    channel,
    stream,
    state,
    ...(change?.reason === undefined ? {} : { reason: change.reason }),
    ...(change === undefined ? {} : { since: new Date(change.atMs).toISOString() }),
  };
}
