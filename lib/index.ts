/**
 * kvs-bridge: records a live WebRTC master of a KVS signaling channel into a KVS stream.
 *
 * Everything exported here is public and follows semantic versioning; nothing else does.
 */
export { KvsBridge } from './bridge/kvs-bridge.js';
export { BridgeState } from './bridge/events.js';
export type {
  BridgeEnd,
  BridgeStep,
  BridgeTotals,
  KvsBridgeEvents,
  PersistedFragment,
} from './bridge/events.js';
export { Isolation } from './bridge/options.js';
export type { KvsBridgeOptions } from './bridge/options.js';
export { TestMaster } from './publisher/test-master.js';
export type { TestMasterEvents, TestMasterOptions } from './publisher/test-master.js';
export type { AwsCredentials } from './aws/credentials.js';
export {
  AwsError,
  ErrorCode,
  KvsBridgeError,
  LocalKvsError,
  MediaError,
  OptionsError,
  PutMediaError,
  SignalingError,
  StateError,
} from './util/errors.js';
