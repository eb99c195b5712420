/** Listening to a Bridge for a while. */
import type { EventEmitter } from 'node:events';
import type { KvsBridgeEvents } from '../bridge/events.js';
import type { KvsBridge } from '../bridge/kvs-bridge.js';

/** Listeners for some of a Bridge's events. */
export type BridgeListeners = {
  readonly [Name in keyof KvsBridgeEvents]?: (...args: KvsBridgeEvents[Name]) => void;
};

/** Listens to a Bridge. @returns what stops that */
export function follow(bridge: KvsBridge, listeners: BridgeListeners): () => void {
  // Each name has its own arguments, which no loop over names can tell apart.
  const emitter = bridge as unknown as EventEmitter;
  const entries = Object.entries(listeners) as [string, (...args: unknown[]) => void][];
  for (const [name, listener] of entries) emitter.on(name, listener);
  return () => {
    for (const [name, listener] of entries) emitter.off(name, listener);
  };
}
