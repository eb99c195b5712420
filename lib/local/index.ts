/** The local KVS: a server that speaks the AWS API of Kinesis Video Streams on one machine. */
export { LocalKvs } from './local-kvs.js';
export type { LocalKvsEndpoints } from './local-kvs.js';
export { localCredentials, defaultLimits, SupersededConnections } from './options.js';
export type {
  IngestLimits,
  LocalCredentials,
  LocalIceServer,
  LocalKvsLimits,
  LocalKvsLogger,
  LocalKvsOptions,
  SignalingLimits,
  StorageLimits,
  TlsCertificate,
} from './options.js';
export type {
  FragmentEvent,
  LocalKvsEvents,
  PutMediaEvent,
  RequestEvent,
  SignalingEvent,
} from './events.js';
export type { Role } from './endpoints.js';
export type { AckErrorId } from './ingest/ingest-error.js';
export { Faults } from './faults/faults.js';
export type { SignalingDrop, SignalingScope } from './faults/faults.js';
export type {
  AckFailure,
  AllowedCalls,
  CallFailure,
  ClockShift,
  Fault,
  FragmentRate,
  PersistedDelay,
  RevokedKeys,
  StreamScope,
} from './faults/fault-plan.js';
export type { Fragment, StreamReader } from './store/fragment.js';
export { writeRecording } from './recording/write-recording.js';
export type { Recording, RecordingOptions, StreamSource } from './recording/write-recording.js';
