/** What the native side says about a failure, as an error of this package. */
import { ErrorCode, MediaError } from '../util/errors.js';

const codeOfKind = {
  media: ErrorCode.media,
  missingPlugin: ErrorCode.missingPlugin,
  badPeerInput: ErrorCode.badPeerInput,
  noKeyframe: ErrorCode.noKeyframe,
  peerLost: ErrorCode.peerLost,
  noMedia: ErrorCode.noMedia,
  options: ErrorCode.options,
} as const;

/** Why the native side failed; see native/media/media_error.h. */
export type NativeErrorKind = keyof typeof codeOfKind;

const fixOfKind: Partial<Record<NativeErrorKind, string>> = {
  missingPlugin: 'Install the package named, then start again.',
  noKeyframe:
    "Set the encoder's keyframe interval below 10 seconds, or let it answer requests for keyframes (RTCP PLI or FIR).",
};

/** Turns what the native side says about a failure into an error. */
export function nativeError(
  kind: NativeErrorKind,
  message: string,
  element: string,
  debug: string,
): MediaError {
  const fix = fixOfKind[kind];
  return new MediaError(codeOfKind[kind], message, {
    ...(element === '' ? {} : { element }),
    ...(debug === '' ? {} : { debug }),
    ...(fix === undefined ? {} : { fix }),
  });
}
