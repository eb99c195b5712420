/**
 * The ERROR acknowledgements of PutMedia: names (AWS dev guide, PutMedia) and what to do about each
 * (after PIC 1.2.0, StreamEvent.c, `serviceCallResultRetry`, and Stream.c for those it skips).
 */
import type { AckErrorAction } from './media-sink.js';

const nameById = new Map([
  [4000, 'STREAM_READ_ERROR'],
  [4001, 'MAX_FRAGMENT_SIZE_REACHED'],
  [4002, 'MAX_FRAGMENT_DURATION_REACHED'],
  [4003, 'MAX_CONNECTION_DURATION_REACHED'],
  [4004, 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS'],
  [4005, 'MORE_THAN_ONE_TRACK_FOUND'],
  [4006, 'INVALID_MKV_DATA'],
  [4007, 'INVALID_PRODUCER_TIMESTAMP'],
  [4008, 'STREAM_NOT_ACTIVE'],
  [4009, 'FRAGMENT_METADATA_LIMIT_REACHED'],
  [4010, 'TRACK_NUMBER_MISMATCH'],
  [4011, 'FRAMES_MISSING_FOR_TRACK'],
  [4012, 'MORE_THAN_ALLOWED_TRACKS_FOUND'],
  [4500, 'KMS_KEY_ACCESS_DENIED'],
  [4501, 'KMS_KEY_DISABLED'],
  [4502, 'KMS_KEY_VALIDATION_ERROR'],
  [4503, 'KMS_KEY_UNAVAILABLE'],
  [4504, 'KMS_KEY_INVALID_USAGE'],
  [4505, 'KMS_KEY_INVALID_STATE'],
  [4506, 'KMS_KEY_NOT_FOUND'],
  [4507, 'STREAM_DELETED'],
  [5000, 'INTERNAL_ERROR'],
  [5001, 'ARCHIVAL_ERROR'],
]);

const idByName = new Map([...nameById].map(([id, name]) => [name, id]));

/** Errors of one fragment: the next one may well be accepted. */
const fragmentErrors = new Set([4001, 4002, 4004, 4006, 4009, 4010, 4011, 4012]);

/** Errors of the stream or of every request to it: nothing helps but somebody's intervention. */
const streamErrors = new Set([4005, 4007, 4008]);

/** The name of an error id; `UNKNOWN_ACK_ERROR` for one that AWS did not document. */
export function ackErrorName(errorId: number): string {
  return nameById.get(errorId) ?? 'UNKNOWN_ACK_ERROR';
}

/** The id that belongs to an ErrorCode text, for an acknowledgement that lacks the number. */
export function ackErrorIdOf(errorCode: string): number | undefined {
  return idByName.get(errorCode);
}

/** What to do about an error. Unknown ids are retried, as PIC does. */
export function ackErrorAction(errorId: number): AckErrorAction {
  if (fragmentErrors.has(errorId)) return 'skipFragment';
  const isStreamError = streamErrors.has(errorId) || (errorId >= 4500 && errorId <= 4599);
  return isStreamError ? 'slowRetry' : 'resend';
}

/** What a person should do about a stream error; one sentence. */
export function ackErrorFix(errorId: number): string {
  if (errorId === 4507) return 'The stream was deleted: create it again, or record to another one.';
  if (errorId >= 4500 && errorId <= 4599) {
    return "Check the state and the policy of the stream's KMS key.";
  }
  if (errorId === 4008)
    return 'Wait until the stream is ACTIVE (`aws kinesisvideo describe-stream`).';
  return 'Report this to the maintainers of kvs-bridge with its log.';
}
