/** GStreamer's log of this process, as log lines. */
import type { LineLevel } from '../util/log.js';
import { redact } from '../util/redact.js';
import type { NativeAddon, NativeGstLogLine } from './native.js';

/** A line of GStreamer's log. */
export interface GstLogLine {
  readonly level: LineLevel;
  /** Such as `webrtcbin`. */
  readonly category: string;
  /** Name of the element or pad; absent without one. */
  readonly object?: string;
  readonly message: string;
}

/** Lines of GStreamer's log, in order. */
export interface GstLogBatch {
  readonly lines: readonly GstLogLine[];
  /** How many more there were, that were left out because they came too fast. */
  readonly dropped: number;
}

/** How often the log is emptied, in ms. */
const readIntervalMs = 250;

/** By GstDebugLevel: its error and warning are ours, the rest is for developers. */
const levels: Readonly<Record<number, LineLevel>> = {
  1: 'error',
  2: 'warn',
  3: 'debug',
  4: 'debug',
};

type Reader = (batch: GstLogBatch) => void;

/** One log a process, whoever reads it: the sessions of one process share what GStreamer says. */
const readers = new Set<Reader>();
let timer: NodeJS.Timeout | undefined;

/**
 * Reads GStreamer's log from now on. It is that of the whole process: while several read, the first
 * one gets the lines, and the thresholds are those of the last.
 *
 * @param thresholds - as in GST_DEBUG
 * @returns what ends it; the reader gets what waits by then
 */
export function readGstLog(native: NativeAddon, thresholds: string, reader: Reader): () => void {
  native.startGstLog(thresholds);
  readers.add(reader);
  timer ??= setInterval(() => {
    deliver(native);
  }, readIntervalMs);
  timer.unref();
  return () => {
    if (!readers.has(reader)) return;
    deliver(native);
    readers.delete(reader);
    if (readers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    native.stopGstLog();
  };
}

function deliver(native: NativeAddon): void {
  const { lines, dropped } = native.takeGstLog();
  if (lines.length === 0 && dropped === 0) return;
  const [reader] = readers;
  reader?.({ lines: lines.map(toLine), dropped });
}

function toLine({ level, category, object, message }: NativeGstLogLine): GstLogLine {
  return {
    level: levels[level] ?? 'trace',
    category,
    ...(object === '' ? {} : { object }),
    message: redact(message),
  };
}
