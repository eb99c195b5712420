/** What the native side tells of the master's media, as a session tells it. */
import type { MediaEpoch, MediaTrack } from './media-session.js';
import type { NativeEvent } from './native-events.js';

type Told<Type extends NativeEvent['type']> = Extract<NativeEvent, { readonly type: Type }>;

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
