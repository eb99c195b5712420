/** Each event of a Bridge as a log line: which part says it, how loud, its fields, and in words. */
import { LogComponent } from '../util/log.js';
import type { LineLevel } from '../util/log.js';
import { ErrorCode } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { BridgeState } from './events.js';
import type { BridgeEvent, BridgeTotals, PersistedFragment } from './events.js';

/** Measured on VP8 by `npm run bench`, see docs/benchmarks.md. */
const transcodingCost = 'it costs about a quarter of a core at 720p30';

/** An event as it is logged. */
export interface EventText {
  readonly component: LogComponent;
  readonly level: LineLevel;
  /** Plain data, with times also as ISO texts. */
  readonly fields: object;
  /** In words, without a full stop. */
  readonly message: string;
}

/** Puts an event into words and plain data, as the `logger` of a Bridge gets it. */
export function describeEvent(event: BridgeEvent): EventText {
  const say = (
    component: LogComponent,
    level: LineLevel,
    message: string,
    fields: object = event.data,
  ): EventText => ({ component, level, fields, message });
  switch (event.name) {
    case 'state': {
      const { state, reason } = event.data;
      return say(LogComponent.bridge, levelOf(state), because(state, reason));
    }
    case 'step': {
      const { step, elapsedMs } = event.data;
      return say(LogComponent.bridge, 'debug', `${step} after ${elapsedMs} ms`);
    }
    case 'signaling': {
      const { kind, reason } = event.data;
      const level = kind === 'disconnected' ? 'warn' : 'info';
      return say(LogComponent.signaling, level, because(`signaling ${kind}`, reason));
    }
    case 'path': {
      const { local, remote, protocol } = event.data;
      const isRelayed = local === 'relay' || remote === 'relay';
      const cost = isRelayed ? ': relayed by TURN, and AWS charges for its minutes' : '';
      const message = `media path: ${local} to ${remote} over ${protocol}${cost}`;
      return say(LogComponent.media, isRelayed ? 'warn' : 'info', message);
    }
    case 'stats':
      return say(LogComponent.media, 'trace', 'measured');
    case 'sink': {
      const { sink, reason } = event.data;
      return say(LogComponent.putmedia, 'info', `media is stored with ${sink}: ${reason}`);
    }
    case 'track': {
      const { kind, codec, storedAs, transcoded } = event.data;
      const fate = transcoded ? `transcoded to ${storedAs}` : 'stored untouched';
      const isCostly = transcoded && kind === 'video';
      const advice = isCostly ? `: ${transcodingCost}; let the master send H.264 to avoid it` : '';
      const message = `${kind} ${codec}, ${fate}${advice}`;
      return say(LogComponent.media, isCostly ? 'warn' : 'info', message);
    }
    case 'epoch': {
      const { epoch, timecodeMs, videoCodec, width, height, audioCodec = 'no audio' } = event.data;
      const video = videoCodec === undefined ? 'no video' : `${videoCodec} ${width}x${height}`;
      const fields = { ...event.data, producerTimestamp: isoOf(timecodeMs) };
      return say(LogComponent.media, 'info', `epoch ${epoch}: ${video}, ${audioCodec}`, fields);
    }
    case 'persisted': {
      const fields = { ...event.data, producerTimestamp: isoOf(event.data.timecodeMs) };
      return say(LogComponent.putmedia, 'debug', persistedText(event.data), fields);
    }
    case 'spool': {
      const { fragments, bytes } = event.data;
      return say(
        LogComponent.spool,
        'debug',
        `${fragments} fragments (${bytes} bytes) wait on disk`,
      );
    }
    case 'lost': {
      const { videoFrames, reason } = event.data;
      return say(LogComponent.media, 'warn', `${videoFrames} video frames lost: ${reason}`);
    }
    case 'gap': {
      const { fromMs, toMs, cause } = event.data;
      const fields = { ...event.data, gapMs: toMs - fromMs };
      return say(LogComponent.ledger, 'warn', `gap of ${fields.gapMs} ms: ${cause}`, fields);
    }
    case 'keyframeOverdue': {
      const message = `no keyframe for ${event.data.waitedMs} ms, although asked for`;
      return say(LogComponent.media, 'warn', message);
    }
    case 'totals':
      return say(LogComponent.bridge, 'debug', totalsText(event.data), totalsFields(event.data));
    case 'warning': {
      const { code, message, fix } = event.data;
      const fields = { code, ...(fix === undefined ? {} : { fix }) };
      return say(componentOf(event.data), 'warn', message, fields);
    }
    case 'stopped': {
      const { totals, error } = event.data;
      const cause = error === undefined ? {} : { code: error.code };
      const message = because(`stopped: ${totalsText(totals)}`, error?.message);
      const fields = { ...totalsFields(totals), ...cause };
      return say(LogComponent.bridge, error === undefined ? 'info' : 'error', message, fields);
    }
  }
}

/** The totals as the log and `--json` tell them. */
export function totalsFields(totals: BridgeTotals): object {
  return {
    framesReceived: totals.videoFramesReceived,
    framesStored: totals.videoFramesStored,
    framesLost: totals.videoFramesLost,
    framesPending: totals.videoFramesPending,
    framesSpooled: totals.videoFramesSpooled,
    framesRecovered: totals.videoFramesRecovered,
    audioFramesReceived: totals.audioFramesReceived,
    audioFramesStored: totals.audioFramesStored,
    fragmentsPersisted: totals.fragmentsPersisted,
    fragmentsRecovered: totals.fragmentsRecovered,
    bytesPersisted: totals.bytesPersisted,
    sessions: totals.sessions,
    keyframeRequests: totals.keyframeRequests,
    ...(totals.newestReceivedMs === 0 ? {} : { lastFrameReceived: isoOf(totals.newestReceivedMs) }),
    ...(totals.newestPersistedMs === 0 ? {} : { persistedUntil: isoOf(totals.newestPersistedMs) }),
  };
}

function totalsText(totals: BridgeTotals): string {
  const { videoFramesReceived, videoFramesStored, videoFramesLost, fragmentsPersisted } = totals;
  return (
    `${videoFramesReceived} frames received, ${videoFramesStored} stored ` +
    `in ${fragmentsPersisted} persisted fragments, ${videoFramesLost} lost`
  );
}

function persistedText(fragment: PersistedFragment): string {
  const { fragmentNumber, durationMs, videoFrames, lagMs } = fragment;
  const duration = (durationMs / 1_000).toFixed(1);
  const lag = (lagMs / 1_000).toFixed(1);
  return `PERSISTED ${duration} s, ${videoFrames} frames, ${lag} s behind live: fragment ${fragmentNumber}`;
}

function levelOf(state: BridgeState): LineLevel {
  if (state === BridgeState.degraded || state === BridgeState.reconnecting) return 'warn';
  // What follows says how it started and stopped.
  return state === BridgeState.starting || state === BridgeState.stopped ? 'debug' : 'info';
}

const components: Partial<Record<ErrorCode, LogComponent>> = {
  [ErrorCode.credentials]: LogComponent.aws,
  [ErrorCode.accessDenied]: LogComponent.aws,
  [ErrorCode.aws]: LogComponent.aws,
  [ErrorCode.signaling]: LogComponent.signaling,
  [ErrorCode.noMaster]: LogComponent.signaling,
  [ErrorCode.media]: LogComponent.media,
  [ErrorCode.mediaProcess]: LogComponent.media,
  [ErrorCode.badPeerInput]: LogComponent.media,
  [ErrorCode.noKeyframe]: LogComponent.media,
  [ErrorCode.peerLost]: LogComponent.media,
  [ErrorCode.noMedia]: LogComponent.media,
  [ErrorCode.putMedia]: LogComponent.putmedia,
  [ErrorCode.notPersisted]: LogComponent.putmedia,
  [ErrorCode.dataFolder]: LogComponent.spool,
};

function componentOf({ code }: KvsBridgeError): LogComponent {
  return components[code] ?? LogComponent.bridge;
}

function because(what: string, reason: string | undefined): string {
  return reason === undefined ? what : `${what}: ${reason}`;
}

function isoOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
