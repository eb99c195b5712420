/**
 * kvs-bridge: records a live WebRTC master of a KVS signaling channel into a KVS stream.
 *
 * Everything exported here is public and follows semantic versioning; nothing else does.
 */
export { KvsBridge } from './bridge/kvs-bridge.js';
export type { EventHub } from './bridge/event-hub.js';
export { BridgeState, bridgeEventNames, bridgeSteps } from './bridge/events.js';
export { Overflow } from './bridge/event-queue.js';
export type { EventStreamOptions, StreamedEvent } from './bridge/event-queue.js';
export { describeEvent, totalsFields } from './bridge/event-texts.js';
export type { EventText } from './bridge/event-texts.js';
export type {
  BridgeEnd,
  BridgeEvent,
  BridgeEventName,
  BridgeGap,
  BridgeStep,
  BridgeTotals,
  DroppedEvents,
  KvsBridgeEvents,
  PersistedFragment,
  StateChange,
} from './bridge/events.js';
export { AudioMode, VideoCodecName } from './media/codecs.js';
export { SinkMode } from './kvssink/choose-sink.js';
export type { SinkChoice } from './kvssink/choose-sink.js';
export { Isolation } from './media/create-session.js';
export type { BridgeHooks, FragmentStart, SessionChanges, SessionPlan } from './bridge/hooks.js';
export type { IceServer } from './signaling/ice-servers.js';
export type { BridgeSettings, KvsBridgeOptions, RetryRhythm } from './bridge/options.js';
export type { BridgeStats } from './bridge/stats.js';
export type {
  AckCounts,
  CandidateType,
  MediaPath,
  ProcessUsage,
  RtpStats,
} from './media/session-stats.js';
export type { FragmentOwner } from './putmedia/media-sink.js';
export type { SpoolState } from './putmedia/spool-status.js';
export type {
  MediaEpoch,
  MediaGap,
  MediaLoss,
  SpoolStatus,
  MediaTotals,
  MediaTrack,
  StoredFragment,
} from './media/media-session.js';
export type { SignalingChange, SignalingRhythm } from './signaling/lasting-connection.js';
export { TestMaster } from './publisher/test-master.js';
export type { TestMasterEvents, TestMasterOptions } from './publisher/test-master.js';
export { publishedAudioCodecs, publishedVideoCodecs } from './publisher/sender-options.js';
export type {
  PublishedAudioCodec,
  PublishedVideoCodec,
  SenderOptions,
  SenderShape,
} from './publisher/sender-options.js';
export {
  LocalKvs,
  SupersededConnections,
  localCredentials,
  writeRecording,
} from './local/index.js';
export type {
  AckFailure,
  AllowedCalls,
  CallFailure,
  ClockShift,
  Fault,
  Faults,
  FragmentEvent,
  FragmentRate,
  IngestLimits,
  LocalCredentials,
  LocalIceServer,
  LocalKvsEndpoints,
  LocalKvsEvents,
  LocalKvsLimits,
  LocalKvsLogger,
  LocalKvsOptions,
  PersistedDelay,
  PutMediaEvent,
  Recording,
  RecordingOptions,
  RequestEvent,
  RevokedKeys,
  SignalingDrop,
  SignalingEvent,
  SignalingLimits,
  SignalingScope,
  StorageLimits,
  StreamReader,
  StreamScope,
  StreamSource,
  TlsCertificate,
} from './local/index.js';
// Names that say more outside than the local KVS needs inside.
export type { Fragment as LocalFragment, Role as SignalingRole } from './local/index.js';
export { analyzeRecording } from './media/recording-analysis.js';
export type { RecordingAnalysis } from './media/recording-found.js';
export { GapCause } from './ledger/gap-causes.js';
export { readGaps } from './ledger/read-gaps.js';
export type { GapReport, ReadGapsOptions } from './ledger/read-gaps.js';
export type { Gap } from './ledger/gap-list.js';
export type { FrameCounts } from './ledger/ledger.js';
export { runDoctor } from './doctor/run-doctor.js';
export type { DoctorOptions } from './doctor/options.js';
export { DoctorTopic, Severity } from './doctor/report.js';
export type { DoctorFinding, DoctorReport } from './doctor/report.js';
export { createHealthServer } from './ops/health-server.js';
export type { HealthServer, HealthServerOptions } from './ops/health-server.js';
export { createMetrics } from './ops/metrics/metrics.js';
export type { BridgeMetrics, MetricsOptions } from './ops/metrics/metrics.js';
export { readinessOf } from './ops/readiness.js';
export type { Readiness } from './ops/readiness.js';
export { LogLevel, gstThresholdsOf, parseLogLevels } from './ops/log-levels.js';
export type { LogLevels } from './ops/log-levels.js';
export { createLogger } from './ops/logger.js';
export type { LoggerOptions } from './ops/logger.js';
export { LogComponent } from './util/log.js';
export type { LineLevel, LogMethod, Logger } from './util/log.js';
export { redact, redactFields } from './util/redact.js';
export type { AwsCredentials, CredentialsProvider } from './aws/credentials.js';
export {
  AwsError,
  ErrorCode,
  HealthServerError,
  KvsBridgeError,
  LocalKvsError,
  MediaError,
  OptionsError,
  PutMediaError,
  SignalingError,
  StateError,
} from './util/errors.js';
export type { ErrorDetails, MediaErrorDetails } from './util/errors.js';
