/**
 * Every error that kvs-bridge throws or emits is a {@link KvsBridgeError}. Users branch on `code`,
 * people read `message` (what is wrong) and `fix` (what to do about it).
 */

import { redact, redactError } from './redact.js';

/** Facts about an error beyond its message. */
export interface ErrorDetails {
  /** What the reader should do; one sentence, no secrets. */
  readonly fix?: string;
  /** The error underneath, if any; kept as a copy without secrets. */
  readonly cause?: unknown;
}

/**
 * The stable error codes. A code never changes its meaning between minor versions.
 *
 * Codes are grouped by who has to act: `OPTIONS` and `NOT_FOUND` the person who typed the command,
 * `CREDENTIALS` and `ACCESS_DENIED` the AWS administrator, the rest the network or this program.
 */
export const ErrorCode = {
  /** A flag, environment variable, config entry or library option is not valid. */
  options: 'KVSB_OPTIONS',
  /** A method was called in a state that does not allow it. */
  state: 'KVSB_STATE',
  /** No credentials, or AWS does not recognize them. */
  credentials: 'KVSB_CREDENTIALS',
  /** The credentials are good but lack a permission. */
  accessDenied: 'KVSB_ACCESS_DENIED',
  /** The signaling channel does not exist. */
  channelNotFound: 'KVSB_CHANNEL_NOT_FOUND',
  /** Media storage is ENABLED on the channel: viewers never reach the master. */
  storageEnabled: 'KVSB_STORAGE_ENABLED',
  /** The video stream does not exist. */
  streamNotFound: 'KVSB_STREAM_NOT_FOUND',
  /** The stream keeps nothing (retention 0), so nothing could ever be PERSISTED. */
  noRetention: 'KVSB_NO_RETENTION',
  /** An AWS call failed for another reason. */
  aws: 'KVSB_AWS',
  /** The signaling connection failed or the service refused a message. */
  signaling: 'KVSB_SIGNALING',
  /** No master answered the offer in time. */
  noMaster: 'KVSB_NO_MASTER',
  /** The media pipeline failed. */
  media: 'KVSB_MEDIA',
  /** The native addon cannot be loaded. */
  addon: 'KVSB_ADDON',
  /** A GStreamer element is not installed. */
  missingPlugin: 'KVSB_MISSING_PLUGIN',
  /** The media process died, hung or spoke nonsense. */
  mediaProcess: 'KVSB_MEDIA_PROCESS',
  /** An SDP or a candidate from the peer was not usable. */
  badPeerInput: 'KVSB_BAD_PEER_INPUT',
  /** The master sends video without keyframes, so nothing of it can be stored. */
  noKeyframe: 'KVSB_NO_KEYFRAME',
  /** The connection to the master failed, was closed, or the master fell silent. */
  peerLost: 'KVSB_PEER_LOST',
  /** The master is connected, but sends nothing that can be recorded. */
  noMedia: 'KVSB_NO_MEDIA',
  /** PutMedia failed: connection, HTTP status or an ERROR acknowledgement. */
  putMedia: 'KVSB_PUT_MEDIA',
  /** Media could not be confirmed as persisted before the drain ended. */
  notPersisted: 'KVSB_NOT_PERSISTED',
  /** Another process on this machine uploads to the stream; what was received waits in the spool. */
  streamInUse: 'KVSB_STREAM_IN_USE',
  /** A TCP port is taken or not allowed. */
  portUnavailable: 'KVSB_PORT_UNAVAILABLE',
  /** A data folder or file cannot be read or written. */
  dataFolder: 'KVSB_DATA_FOLDER',
  /** A listener or a hook of the program that uses the library threw; the recording goes on. */
  listener: 'KVSB_LISTENER',
  /** Somebody reads events more slowly than they come, and some were left out. */
  eventsDropped: 'KVSB_EVENTS_DROPPED',
  /** Something that should be impossible; a bug in kvs-bridge. */
  internal: 'KVSB_INTERNAL',
} as const;

/** One of the stable error codes, see {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Whoever prints an error prints its causes too. */
function safeCause(cause: unknown): unknown {
  return cause instanceof KvsBridgeError ? cause : redactError(cause);
}

/** Base of all errors of this package. There is no secret in any text of theirs. */
export class KvsBridgeError extends Error {
  override readonly name: string = 'KvsBridgeError';
  /** Stable, machine-readable cause. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence. */
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const { cause, fix } = details;
    super(redact(message), cause === undefined ? undefined : { cause: safeCause(cause) });
    this.code = code;
    this.fix = fix === undefined ? undefined : redact(fix);
  }
}

/** An option of a command, the library or a config file is missing or not valid. */
export class OptionsError extends KvsBridgeError {
  override readonly name = 'OptionsError';
  /** Name of the offending option as the user wrote it. */
  readonly option: string;

  constructor(option: string, message: string, details: ErrorDetails = {}) {
    super(ErrorCode.options, message, details);
    this.option = option;
  }
}

/** A method was called when the object was not in a state to do it. */
export class StateError extends KvsBridgeError {
  override readonly name = 'StateError';

  constructor(message: string, details: ErrorDetails = {}) {
    super(ErrorCode.state, message, details);
  }
}

/** An AWS call failed, or its answer rules recording out. */
export class AwsError extends KvsBridgeError {
  override readonly name = 'AwsError';
}

/** KVS signaling failed. */
export class SignalingError extends KvsBridgeError {
  override readonly name = 'SignalingError';
}

/** Names the GStreamer element behind a {@link MediaError}. */
export interface MediaErrorDetails extends ErrorDetails {
  /** Name of the GStreamer element that reported it, if one did. */
  readonly element?: string;
  /** GStreamer's own debug text. */
  readonly debug?: string;
}

/** The media pipeline, or the process that runs it, failed. */
export class MediaError extends KvsBridgeError {
  override readonly name = 'MediaError';
  readonly element: string | undefined;
  readonly debug: string | undefined;

  constructor(code: ErrorCode, message: string, details: MediaErrorDetails = {}) {
    super(code, message, details);
    this.element = details.element;
    this.debug = details.debug === undefined ? undefined : redact(details.debug);
  }
}

/** PutMedia failed. */
export class PutMediaError extends KvsBridgeError {
  override readonly name = 'PutMediaError';
}

/** The local KVS could not start or keep its data. */
export class LocalKvsError extends KvsBridgeError {
  override readonly name = 'LocalKvsError';
}

/** The server for health and metrics could not start. */
export class HealthServerError extends KvsBridgeError {
  override readonly name = 'HealthServerError';
}

/** Wraps anything that was thrown; a {@link KvsBridgeError} passes unchanged. */
export function asKvsBridgeError(
  error: unknown,
  code: ErrorCode = ErrorCode.internal,
): KvsBridgeError {
  if (error instanceof KvsBridgeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KvsBridgeError(code, message, { cause: error });
}

/** An error as plain data, for IPC and logs. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix?: string;
}

/** Reduces an error to what may cross a process boundary or reach a log. */
export function serializeError(error: KvsBridgeError): SerializedError {
  return {
    code: error.code,
    message: error.message,
    ...(error.fix === undefined ? {} : { fix: error.fix }),
  };
}

/** The error that {@link serializeError} reduced, as an instance of the base class. */
export function deserializeError({ code, message, fix }: SerializedError): KvsBridgeError {
  return new KvsBridgeError(code, message, fix === undefined ? {} : { fix });
}
