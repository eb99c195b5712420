/** Which elements of GStreamer a bridge needs, and what for. The native side builds with them. */
import { AudioMode, VideoCodecName } from '../media/codecs.js';

/** One of `anyOf` has to be there; the first names the package. */
export interface ElementNeed {
  readonly anyOf: readonly [string, ...string[]];
  /** What does not work without it. */
  readonly purpose: string;
  /** The codec that is left out without it; undefined when nothing works. */
  readonly codec?: VideoCodecName;
}

const transport = ['webrtcbin', 'nicesrc', 'nicesink', 'dtlssrtpdec', 'srtpdec', 'rtpbin'] as const;
const sound = [
  ...['rtpopusdepay', 'opusdec', 'rtppcmudepay', 'mulawdec', 'rtppcmadepay', 'alawdec'],
  ...['audioconvert', 'audioresample'],
] as const;
const byCodec: Readonly<Record<VideoCodecName, readonly (readonly [string, ...string[]])[]>> = {
  h264: [['rtph264depay'], ['h264parse']],
  h265: [['rtph265depay'], ['h265parse']],
  vp8: [['rtpvp8depay'], ['vp8dec']],
  vp9: [['rtpvp9depay'], ['vp9parse'], ['vp9dec']],
  av1: [['av1parse'], ['av1dec', 'dav1ddec']],
};
const transcoding = [
  ['videoconvert'],
  ['videocrop'],
  ['h264parse'],
  ['x264enc', 'openh264enc'],
] as const;

/** What is needed for these codecs and this sound. */
export function neededElements(
  codecs: readonly VideoCodecName[],
  audio: AudioMode,
): readonly ElementNeed[] {
  const all: ElementNeed[] = [...transport, 'appsink'].map((element) => ({
    anyOf: [element],
    purpose: 'any connection',
  }));
  for (const codec of codecs) {
    const isTranscoded = codec !== VideoCodecName.h264 && codec !== VideoCodecName.h265;
    for (const anyOf of [...byCodec[codec], ...(isTranscoded ? transcoding : [])]) {
      all.push({ anyOf, purpose: codec.toUpperCase(), codec });
    }
  }
  if (audio === AudioMode.none) return all;
  for (const element of sound) all.push({ anyOf: [element], purpose: 'sound' });
  all.push({ anyOf: ['voaacenc', 'avenc_aac'], purpose: 'sound' });
  return all;
}
