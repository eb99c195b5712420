/** Says what a Bridge does: its events as output, its status on the live line. */
import { BridgeState } from '../../lib/index.js';
import type { BridgeTotals, KvsBridge, PersistedFragment } from '../../lib/index.js';
import type { EventLevel, Output } from './output.js';
import { StatusKeeper, renderStatus } from './status-line.js';

const redrawIntervalMs = 500;

/** Measured on VP8 by `npm run bench`, see docs/benchmarks.md. */
const transcodingCost = 'it costs about a fifth of a core at 720p30';

/** Options of {@link reportBridge}. */
export interface BridgeReportOptions {
  /** The level at which each persisted fragment is logged. */
  readonly persistedLevel: EventLevel;
}

/** Reports everything about `bridge` but its end, until then. */
export function reportBridge(
  bridge: KvsBridge,
  output: Output,
  { persistedLevel }: BridgeReportOptions,
): void {
  bridge.on('state', (change) => {
    const reason = change.reason === undefined ? '' : `: ${change.reason}`;
    output.event('state', change, `${change.state}${reason}`, levelOf(change.state));
  });
  bridge.on('step', (step) => {
    output.event('step', step, `${step.step} after ${step.elapsedMs} ms`, 'debug');
  });
  bridge.on('signaling', (change) => {
    const reason = change.reason === undefined ? '' : `: ${change.reason}`;
    const level = change.kind === 'disconnected' ? 'warn' : 'info';
    output.event('signaling', change, `signaling ${change.kind}${reason}`, level);
  });
  bridge.on('track', (track) => {
    const { kind, codec, storedAs, transcoded } = track;
    const fate = transcoded ? `transcoded to ${storedAs}` : 'stored untouched';
    const isCostly = transcoded && kind === 'video';
    const advice = isCostly ? `: ${transcodingCost}; let the master send H.264 to avoid it` : '';
    output.event('track', track, `${kind} ${codec}, ${fate}${advice}`, isCostly ? 'warn' : 'info');
  });
  bridge.on('path', (path) => {
    const isRelayed = path.local === 'relay' || path.remote === 'relay';
    const cost = isRelayed ? ': relayed by TURN, and AWS charges for its minutes' : '';
    const text = `media path: ${path.local} to ${path.remote} over ${path.protocol}${cost}`;
    output.event('path', path, text, isRelayed ? 'warn' : 'info');
  });
  bridge.on('sink', (choice) => {
    output.event('sink', choice, `media is stored with ${choice.sink}: ${choice.reason}`);
  });
  bridge.on('epoch', (epoch) => {
    const { videoCodec, width, height, audioCodec = 'no audio' } = epoch;
    const video = videoCodec === undefined ? 'no video' : `${videoCodec} ${width}x${height}`;
    const fields = { ...epoch, producerTimestamp: isoOf(epoch.timecodeMs) };
    const text = `epoch ${epoch.epoch}: ${video}, ${audioCodec}`;
    output.event('epoch', fields, text);
  });
  bridge.on('persisted', (fragment) => {
    const fields = { ...fragment, producerTimestamp: isoOf(fragment.timecodeMs) };
    output.event('persisted', fields, persistedText(fragment), persistedLevel);
  });
  bridge.on('spool', (status) => {
    const text = `${status.fragments} fragments (${status.bytes} bytes) wait on disk`;
    output.event('spool', status, text, 'debug');
  });
  bridge.on('lost', (loss) => {
    output.event('lost', loss, `${loss.videoFrames} video frames lost: ${loss.reason}`, 'warn');
  });
  bridge.on('gap', (gap) => {
    const fields = { ...gap, gapMs: gap.toMs - gap.fromMs };
    output.event('gap', fields, `gap of ${fields.gapMs} ms: ${gap.cause}`, 'warn');
  });
  bridge.on('keyframeOverdue', (overdue) => {
    const text = `no keyframe for ${overdue.waitedMs} ms, although asked for`;
    output.event('keyframeOverdue', overdue, text, 'warn');
  });
  bridge.on('totals', (totals) => {
    output.event('totals', stoppedFields(totals), totalsText(totals), 'debug');
  });
  bridge.on('warning', (error) => {
    output.warning(error);
  });
  keepStatus(bridge, output);
}

/** The totals as the `totals` and `stopped` events tell them. */
export function stoppedFields(totals: BridgeTotals): object {
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

/** The totals in words. */
export function stoppedText(totals: BridgeTotals): string {
  return `stopped: ${totalsText(totals)}`;
}

function totalsText(totals: BridgeTotals): string {
  const { videoFramesReceived, videoFramesStored, videoFramesLost, fragmentsPersisted } = totals;
  return (
    `${videoFramesReceived} frames received, ${videoFramesStored} stored ` +
    `in ${fragmentsPersisted} persisted fragments, ${videoFramesLost} lost`
  );
}

function keepStatus(bridge: KvsBridge, output: Output): void {
  const { terminal, color } = output;
  if (terminal.columns === 0) return;
  const keeper = new StatusKeeper(bridge);
  const draw = (): void => {
    // One column short: some terminals wrap at the last one all the same.
    const columns = Math.max(1, terminal.columns - 1);
    terminal.live(renderStatus(keeper.read(), { columns, color }));
  };
  const timer = setInterval(draw, redrawIntervalMs);
  bridge.on('state', draw);
  bridge.once('stopped', () => {
    clearInterval(timer);
    bridge.off('state', draw);
    terminal.live(undefined);
  });
  draw();
}

function levelOf(state: BridgeState): EventLevel {
  if (state === BridgeState.degraded || state === BridgeState.reconnecting) return 'warn';
  // What follows says how it started and stopped.
  return state === BridgeState.starting || state === BridgeState.stopped ? 'debug' : 'info';
}

function persistedText(fragment: PersistedFragment): string {
  const { fragmentNumber, durationMs, videoFrames, lagMs } = fragment;
  const duration = (durationMs / 1_000).toFixed(1);
  const lag = (lagMs / 1_000).toFixed(1);
  return `PERSISTED ${duration} s, ${videoFrames} frames, ${lag} s behind live: fragment ${fragmentNumber}`;
}

function isoOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
