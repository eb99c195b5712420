/** The names of what a Bridge takes and stores. */

/** The video codecs that a Bridge can ask a master for. */
export const VideoCodecName = {
  /** Stored as it comes. */
  h264: 'h264',
  /** Stored as it comes. */
  h265: 'h265',
  /** Decoded and encoded again as H.264, as are the ones below. */
  vp8: 'vp8',
  vp9: 'vp9',
  av1: 'av1',
} as const;

/** One of {@link VideoCodecName}. */
export type VideoCodecName = (typeof VideoCodecName)[keyof typeof VideoCodecName];

/** What becomes of the master's sound. */
export const AudioMode = {
  /** Everything becomes AAC-LC, 48 kHz, stereo: what players of KVS take. */
  aac: 'aac',
  /** PCMU and PCMA are stored as they come; Opus becomes AAC. */
  source: 'source',
  /** No sound is asked for. */
  none: 'none',
} as const;

/** One of {@link AudioMode}. */
export type AudioMode = (typeof AudioMode)[keyof typeof AudioMode];
