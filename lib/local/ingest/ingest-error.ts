/** Why PutMedia ends a connection: the ids of ERROR acknowledgements. */

/** Text of each id (AWS dev guide, PutMedia; 4507 from the producer SDK's Include.h). */
const ackErrorCodes = {
  4000: 'STREAM_READ_ERROR',
  4001: 'MAX_FRAGMENT_SIZE_REACHED',
  4002: 'MAX_FRAGMENT_DURATION_REACHED',
  4003: 'MAX_CONNECTION_DURATION_REACHED',
  4004: 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS',
  4005: 'MORE_THAN_ONE_TRACK_FOUND',
  4006: 'INVALID_MKV_DATA',
  4007: 'INVALID_PRODUCER_TIMESTAMP',
  4008: 'STREAM_NOT_ACTIVE',
  4009: 'FRAGMENT_METADATA_LIMIT_REACHED',
  4010: 'TRACK_NUMBER_MISMATCH',
  4011: 'FRAMES_MISSING_FOR_TRACK',
  4012: 'MORE_THAN_ALLOWED_TRACKS_FOUND',
  4500: 'KMS_KEY_ACCESS_DENIED',
  4501: 'KMS_KEY_DISABLED',
  4502: 'KMS_KEY_VALIDATION_ERROR',
  4503: 'KMS_KEY_UNAVAILABLE',
  4504: 'KMS_KEY_INVALID_USAGE',
  4505: 'KMS_KEY_INVALID_STATE',
  4506: 'KMS_KEY_NOT_FOUND',
  4507: 'STREAM_DELETED',
  5000: 'INTERNAL_ERROR',
  5001: 'ARCHIVAL_ERROR',
} as const;

/** Id of an ERROR acknowledgement. */
export type AckErrorId = keyof typeof ackErrorCodes;

/** ErrorCode of any id. */
export function ackErrorCodeOf(errorId: number): string {
  return Object.hasOwn(ackErrorCodes, errorId)
    ? ackErrorCodes[errorId as AckErrorId]
    : 'UNKNOWN_ERROR';
}

/** The upload breaks a rule; the connection ends with an ERROR acknowledgement. */
export class IngestError extends Error {
  override readonly name = 'IngestError';
  readonly errorId: number;

  /** @param errorId - an {@link AckErrorId}, or what a fault asks for */
  constructor(errorId: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.errorId = errorId;
  }
}
