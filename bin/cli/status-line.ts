/** The live status line: what it knows, and how it looks. */
import { BridgeState } from '../../lib/index.js';
import type { KvsBridge } from '../../lib/index.js';

/** What the status line shows. */
export interface Status {
  readonly state: BridgeState;
  /** As the master sends it, such as `H264`. */
  readonly codec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly bitrateBps?: number;
  readonly fragmentsPersisted: number;
  /** How far the stored media ends behind now. */
  readonly lagMs?: number;
  readonly framesLost: number;
}

/** How it is drawn. */
export interface StatusStyle {
  readonly columns: number;
  readonly color: boolean;
}

const colors: Readonly<Record<BridgeState, number>> = {
  [BridgeState.idle]: 2,
  [BridgeState.starting]: 36,
  [BridgeState.waiting]: 36,
  [BridgeState.connecting]: 36,
  [BridgeState.receiving]: 33,
  [BridgeState.recording]: 32,
  [BridgeState.degraded]: 31,
  [BridgeState.reconnecting]: 33,
  [BridgeState.stopping]: 36,
  [BridgeState.stopped]: 2,
};

const separator = '  ';

function bitrateText(bitrateBps: number): string {
  return bitrateBps >= 1_000_000
    ? `${(bitrateBps / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bitrateBps / 1_000)} kbit/s`;
}

/**
 * One line of at most `columns` characters. What does not fit is left out, the least important
 * first: state, fragments, lag, picture, bitrate, losses is the order of importance.
 */
export function renderStatus(status: Status, { columns, color }: StatusStyle): string {
  const { codec, width, height, bitrateBps, lagMs, fragmentsPersisted, framesLost } = status;
  const size = width === undefined || height === undefined ? '' : ` ${width}x${height}`;
  const parts = [
    { text: `● ${status.state}`, importance: 6 },
    { text: codec === undefined ? '' : `${codec}${size}`, importance: 3 },
    { text: bitrateBps === undefined ? '' : bitrateText(bitrateBps), importance: 2 },
    { text: `${fragmentsPersisted} persisted`, importance: 5 },
    { text: lagMs === undefined ? '' : `lag ${(lagMs / 1_000).toFixed(1)} s`, importance: 4 },
    { text: framesLost === 0 ? '' : `${framesLost} frames lost`, importance: 1 },
  ].filter(({ text }) => text !== '');
  const widthOf = (): number =>
    parts.reduce((sum, { text }) => sum + text.length, separator.length * (parts.length - 1));
  while (parts.length > 1 && widthOf() > columns) {
    const least = parts.reduce((a, b) => (b.importance < a.importance ? b : a));
    parts.splice(parts.indexOf(least), 1);
  }
  const line = parts
    .map(({ text }) => text)
    .join(separator)
    .slice(0, Math.max(0, columns));
  const head = `● ${status.state}`.slice(0, line.length);
  return color ? `\u001B[${colors[status.state]}m${head}\u001B[0m${line.slice(head.length)}` : line;
}

/** Keeps a {@link Status} from a Bridge's events. */
export class StatusKeeper {
  readonly #bridge: KvsBridge;
  #video: Pick<Status, 'codec' | 'width' | 'height'> = {};
  #last: { readonly atMs: number; readonly bytes: number } | undefined;
  #bitrateBps: number | undefined;
  // Totals come once a second: what is persisted shows at once.
  #fragmentsPersisted = 0;
  #persistedUntilMs: number | undefined;

  constructor(bridge: KvsBridge) {
    this.#bridge = bridge;
    bridge.on('track', ({ kind, codec }) => {
      if (kind === 'video') this.#video = { ...this.#video, codec };
    });
    bridge.on('epoch', ({ width, height }) => {
      this.#video = { ...this.#video, width, height };
    });
    bridge.on('persisted', ({ timecodeMs, durationMs }) => {
      this.#fragmentsPersisted += 1;
      this.#persistedUntilMs = Math.max(this.#persistedUntilMs ?? 0, timecodeMs + durationMs);
    });
    bridge.on('totals', ({ videoBytesReceived }) => {
      this.#measure(videoBytesReceived, performance.now());
    });
  }

  read(): Status {
    const until = this.#persistedUntilMs;
    return {
      state: this.#bridge.state,
      ...this.#video,
      ...(this.#bitrateBps === undefined ? {} : { bitrateBps: this.#bitrateBps }),
      fragmentsPersisted: this.#fragmentsPersisted,
      ...(until === undefined ? {} : { lagMs: Math.max(0, Date.now() - until) }),
      framesLost: this.#bridge.totals.videoFramesLost,
    };
  }

  #measure(bytes: number, atMs: number): void {
    const last = this.#last;
    this.#last = { atMs, bytes };
    if (last === undefined || bytes < last.bytes || atMs - last.atMs < 100) return;
    this.#bitrateBps = ((bytes - last.bytes) * 8_000) / (atMs - last.atMs);
  }
}
