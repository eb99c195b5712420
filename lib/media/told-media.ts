/** What the native side and the sinks tell of the master's media, as a session tells it. */
import { ackErrorFix } from '../putmedia/ack-errors.js';
import type { AckErrorAction, AckErrorEvent, DroppedEvent } from '../putmedia/media-sink.js';
import { ErrorCode, PutMediaError } from '../util/errors.js';
import type { MediaEpoch, MediaLoss, MediaTrack } from './media-session.js';
import type { NativeEvent } from './native-events.js';

type Told<Type extends NativeEvent['type']> = Extract<NativeEvent, { readonly type: Type }>;

const actionTexts: Record<AckErrorAction, string> = {
  resend: 'it is sent again',
  skipFragment: 'it is lost, the next one goes on',
  slowRetry: 'it is tried again, slowly',
};

/** A track as the session's user gets it. */
export function trackOf({ kind, codec, storedAs, transcoded }: Told<'track'>): MediaTrack {
  return { kind, codec, storedAs, transcoded };
}

/** An epoch as the session's user gets it: without its bytes, and without codecs that are none. */
export function epochOf(event: Told<'epoch'>): MediaEpoch {
  const { epoch, timecodeMs, videoCodec, width, height, audioCodec } = event;
  return {
    epoch,
    timecodeMs,
    ...(videoCodec === '' ? {} : { videoCodec }),
    width,
    height,
    ...(audioCodec === '' ? {} : { audioCodec }),
  };
}

/** What a sink lost for good. */
export function lossOf({ videoFrames, reason, recovered, ...span }: DroppedEvent): MediaLoss {
  const { fromTimecodeMs: fromMs, toTimecodeMs: toMs, owner } = span;
  return {
    ...{ videoFrames, reason, fromMs, toMs },
    ...(recovered === true ? { recovered } : {}),
    ...(owner === undefined ? {} : { owner }),
  };
}

/** An error acknowledgement, with what becomes of its fragment and what to do. */
export function warningOf({
  errorId,
  errorName,
  timecodeMs,
  action,
}: AckErrorEvent): PutMediaError {
  const fragment = timecodeMs === undefined ? '' : ` for fragment ${timecodeMs}`;
  return new PutMediaError(
    ErrorCode.putMedia,
    `KVS answered ${errorName} (${errorId})${fragment}: ${actionTexts[action]}`,
    { fix: ackErrorFix(errorId) },
  );
}
