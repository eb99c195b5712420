/** Typed bindings of the native addon, by hand; native/binding is the other half. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeKvsSinkOptions } from '../kvssink/keeper.js';
import { ErrorCode, MediaError, asKvsBridgeError } from '../util/errors.js';
import type { AudioMode, VideoCodecName } from './codecs.js';
import { nativeError } from './native-error.js';
import type { NativeErrorKind } from './native-error.js';
import type { NativeEventsListener, ReceiverEvent } from './native-events.js';
import type { RecordingAnalysis } from './recording-found.js';

/** One STUN or TURN URI with its credentials (empty for STUN). Secret. */
export interface NativeIceServer {
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

/** Settings of any peer connection. */
export interface NativePeerOptions {
  readonly iceServers: readonly NativeIceServer[];
  /** Jitter buffer, in ms. */
  readonly jitterBufferMs: number;
  /** Use TURN relays only. */
  readonly relayOnly: boolean;
  /**
   * PEM of this side's DTLS certificate, then of its key (PKCS #8). Secret.
   *
   * @defaultValue what GStreamer makes, with an RSA key, which some peers refuse
   */
  readonly dtlsIdentity?: string;
}

/** Settings of a {@link NativeReceiver}. */
export interface NativeReceiverOptions extends NativePeerOptions {
  /** What to offer, the preferred one first; at least one, each once. */
  readonly videoCodecs: readonly VideoCodecName[];
  readonly audio: AudioMode;
  /** Fragment length aimed at, in ms, 1000 to 18000. */
  readonly targetFragmentMs: number;
  /** How long the connection may take to come about after the answer, in ms. @defaultValue 10000 */
  readonly connectMs?: number;
  /** How long the master may send no packet at all once connected, in ms; 0: for ever. @defaultValue 5000 */
  readonly firstMediaMs?: number;
  /** How long a steady video may pause, in ms; 0: for ever. @defaultValue 4000 */
  readonly silentVideoMs?: number;
  /** Where the stream's media ended before, Unix epoch ms: the first fragment tells the distance. */
  readonly resumesAfterMs?: number;
  /** Store with kvssink what it can store; without it all comes as `mediaData`. */
  readonly kvssink?: NativeKvsSinkOptions;
}

/**
 * How a test master's media differ from a browser's; nothing does by default. The other half is
 * native/media/publisher/test_format.h.
 */
export interface SenderShape {
  /** H.264: main profile with two B-frames between references. */
  readonly bFrames?: boolean;
  /** H.264: four slices in each picture. */
  readonly slices?: boolean;
  /** H.264: an access unit delimiter and a picture timing SEI in each access unit. */
  readonly auSei?: boolean;
  /** H.264: SPS and PPS at each keyframe, or in sprop-parameter-sets alone. @defaultValue 'inband' */
  readonly parameterSets?: 'inband' | 'outofband';
  /** H.264: an SPS without VUI. */
  readonly stripVui?: boolean;
  /**
   * `onRequest`: at the start, every 10 s, and for each PLI or FIR; `onFir`: so, but deaf to PLI;
   * `firstOnly`: one at the start, then none whoever asks; `never`: none at all.
   *
   * @defaultValue 'onRequest'
   */
  readonly keyframes?: 'onRequest' | 'onFir' | 'firstOnly' | 'never';
  /** Opus: next to nothing is sent in silence, all but 50 ms of each second. */
  readonly opusDtx?: boolean;
  /** Opus: a quiet 440 Hz tone on the left channel alone, beside the tick on both. */
  readonly leftTone?: boolean;
  /**
   * How much too fast the device's clock runs, which paces capture and RTP timestamps, -200000 to
   * 200000. A device whose every clock is off has the same `ntpSkewPpm`.
   */
  readonly rtpSkewPpm?: number;
  /** How much too fast the NTP times of sender reports run, -200000 to 200000. */
  readonly ntpSkewPpm?: number;
  /** What the RTP timestamps of both streams jump by, once. */
  readonly rtpStepMs?: number;
  /** What the NTP times of sender reports jump by, once. */
  readonly ntpStepMs?: number;
  /** When the steps happen, in ms after the first packet or report. @defaultValue 0 */
  readonly stepAfterMs?: number;
  /** The number that the first picture shows, 0 to 2^24 - 1. @defaultValue 0 */
  readonly firstFrame?: number;
}

/** Settings of a {@link NativePublisher}. */
export interface NativePublisherOptions extends NativePeerOptions {
  /** SDP of the viewer's offer. */
  readonly offer: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly videoBitrateBps: number;
  readonly audio: boolean;
  /** @defaultValue true */
  readonly video?: boolean;
  /** @defaultValue 'h264' */
  readonly videoCodec?: 'h264' | 'h265' | 'vp8' | 'vp9' | 'av1';
  /** @defaultValue 'opus' */
  readonly audioCodec?: 'opus' | 'pcmu' | 'pcma';
  readonly shape?: SenderShape;
}

/** What both kinds of native session can do. Every method returns at once. */
export interface NativeSession {
  start(): void;
  addCandidate(sdpMLineIndex: number, candidate: string): void;
  /** Drains for at most `deadlineMs`; `closed` follows. */
  stop(deadlineMs: number): void;
  /** Ends it now and frees everything; no event follows. Any number of times. */
  dispose(): void;
}

/** The offering viewer. */
export interface NativeReceiver extends NativeSession {
  setAnswer(sdp: string): void;
  /** Asks the master for a keyframe now (RTCP PLI). */
  requestKeyframe(): void;
  /**
   * Keeps a tag with the next fragment, or with every one from the next on. An empty value takes a
   * persistent tag back; a tag too many (the service takes ten) is reported as an `error` event.
   *
   * @throws {@link MediaError} with code `KVSB_OPTIONS` when the service would refuse it
   */
  putMetadata(name: string, value: string, persistent: boolean): void;
}

/** The answering test master's side of one viewer. */
export interface NativePublisher extends NativeSession {
  /** Sends RTP of this kind, or not a packet. */
  setSending(video: boolean, audio: boolean): void;
  /** Sends silence in place of the tone. */
  setMuted(muted: boolean): void;
  /** Restarts the encoder with a picture of this size, 480x64 to 3840x3840, on the same SSRC. */
  setSize(width: number, height: number): void;
  /** Goes on with another SSRC, sequence and timestamp base, from a keyframe. */
  changeVideoSsrc(): void;
}

/** A line of GStreamer's log. */
export interface NativeGstLogLine {
  /** GstDebugLevel: 1 error, 2 warning, 3 fixme, 4 info, 5 debug, 6 log, 7 trace. */
  readonly level: number;
  readonly category: string;
  /** Empty when it is about none. */
  readonly object: string;
  readonly message: string;
}

/** What the addon exports. */
export interface NativeAddon {
  initialize(
    makeError: (kind: NativeErrorKind, message: string, element: string, debug: string) => Error,
  ): void;
  gstreamerVersion(): string;
  hasElement(factory: string): boolean;
  /** The Debian package that holds an element, or what comes closest to one. */
  packageOf(factory: string): string;
  /** The plugin of an element, with the version it gives itself; undefined without the element. */
  pluginOf(factory: string): { readonly file: string; readonly version: string } | undefined;
  /** Decodes the Matroska file at `path` on a pool thread. */
  analyzeRecording(path: string): Promise<RecordingAnalysis>;
  /** Takes an flock(2) on an open file, until that is closed; false when it is taken. Throws. */
  tryLockFile(fd: number): boolean;
  /** Collects GStreamer's log, of the whole process, in place of its output on stderr. */
  startGstLog(thresholds: string): void;
  /** What was collected since the last time; `dropped` more came too fast. */
  takeGstLog(): { readonly lines: readonly NativeGstLogLine[]; readonly dropped: number };
  /** Ends the collection. */
  stopGstLog(): void;
  readonly Receiver: new (
    options: NativeReceiverOptions,
    onEvents: NativeEventsListener<ReceiverEvent>,
  ) => NativeReceiver;
  readonly Publisher: new (
    options: NativePublisherOptions,
    onEvents: NativeEventsListener,
  ) => NativePublisher;
}

/** The package's own folder: the nearest one above this file that holds a package.json. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return folder;
}

/** Where the addon belongs. */
export function addonFile(): string {
  return join(packageRoot(), 'build', 'Release', 'kvs_bridge.node');
}

let loaded: NativeAddon | undefined;

/**
 * Loads the addon and starts GStreamer, once per process. Blocks for some 20 ms; for seconds on
 * the very first run of a machine, when GStreamer scans its plugins.
 *
 * @throws {@link MediaError} with code `KVSB_ADDON` when it is not built or does not load
 */
export function loadNative(): NativeAddon {
  if (loaded !== undefined) return loaded;
  const file = addonFile();
  if (!existsSync(file)) {
    throw new MediaError(ErrorCode.addon, 'The native addon of kvs-bridge is not built', {
      fix: 'Run `npm run build` in the kvs-bridge package; it needs the GStreamer 1.22 development packages.',
    });
  }
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(file) as NativeAddon;
  } catch (error) {
    throw new MediaError(
      ErrorCode.addon,
      `The native addon of kvs-bridge does not load: ${asKvsBridgeError(error).message}`,
      {
        fix: 'Install the GStreamer 1.22 (or newer) libraries, or run `npm run build` again.',
        cause: error,
      },
    );
  }
  addon.initialize(nativeError);
  loaded = addon;
  return addon;
}
