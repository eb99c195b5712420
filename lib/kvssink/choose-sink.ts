/** Chooses between the ways of storing media. */
import { ErrorCode, MediaError } from '../util/errors.js';

/** How media is stored. */
export const SinkMode = {
  /** With kvssink where GStreamer finds it and the media runs in a process of its own. */
  auto: 'auto',
  /** With AWS's kvssink element. */
  kvssink: 'kvssink',
  /** With the built-in upload. */
  putmedia: 'putmedia',
} as const;

/** One of {@link SinkMode}. */
export type SinkMode = (typeof SinkMode)[keyof typeof SinkMode];

/** What stores a session's media, and why that. */
export interface SinkChoice {
  readonly sink: 'kvssink' | 'putmedia';
  /** In words, for the log. */
  readonly reason: string;
}

/** What there is to choose from. */
export interface SinkSituation {
  /** The media runs in a process of its own: kvssink leaks, blocks and has global settings. */
  readonly hasOwnProcess: boolean;
  /** GStreamer finds kvssink. */
  readonly hasElement: () => boolean;
}

/** @throws {@link MediaError} with code `KVSB_MISSING_PLUGIN` when kvssink is asked for in vain */
export function chooseSink(mode: SinkMode, situation: SinkSituation): SinkChoice {
  if (mode === SinkMode.putmedia) return { sink: 'putmedia', reason: 'asked for' };
  if (!situation.hasOwnProcess) {
    return { sink: 'putmedia', reason: 'kvssink needs a media process of its own' };
  }
  if (situation.hasElement()) {
    const reason = mode === SinkMode.kvssink ? 'asked for' : 'GStreamer finds kvssink';
    return { sink: 'kvssink', reason };
  }
  if (mode === SinkMode.auto) return { sink: 'putmedia', reason: 'GStreamer finds no kvssink' };
  throw new MediaError(ErrorCode.missingPlugin, 'GStreamer finds no element "kvssink"', {
    fix: 'Build it from amazon-kinesis-video-streams-producer-sdk-cpp and set GST_PLUGIN_PATH (and LD_LIBRARY_PATH) to it, or leave --sink out.',
  });
}
