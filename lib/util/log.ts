/** What kvs-bridge logs through: the part of pino's interface that it needs, one logger by part. */
import { redact, redactFields } from './redact.js';

/** The parts that log by themselves, each with a level of its own. */
export const LogComponent = {
  /** States, steps, sessions. */
  bridge: 'bridge',
  /** The connection to the signaling channel, offers and answers. */
  signaling: 'signaling',
  /** Tracks, epochs, the media process. */
  media: 'media',
  /** Uploads and their acknowledgements, through whichever sink. */
  putmedia: 'putmedia',
  /** Media that waits on disk. */
  spool: 'spool',
  /** Gaps. */
  ledger: 'ledger',
  /** GStreamer's own log. */
  gstreamer: 'gstreamer',
  /** Credentials and look-ups. */
  aws: 'aws',
  /** The server for health and metrics. */
  http: 'http',
} as const;

/** One of {@link LogComponent}. */
export type LogComponent = (typeof LogComponent)[keyof typeof LogComponent];

/** Takes a log line: its fields, and what happened in words. */
export type LogMethod = (fields: object, message: string) => void;

/** What a logger has to have; a pino logger fits as it is. */
export interface Logger {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  /** A logger for one part, which adds `component` to each of its lines. */
  child(bindings: { readonly component: LogComponent }): Logger;
}

/** How grave a line is. */
export type LineLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** All of them, the least grave first. */
export const lineLevels: readonly LineLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** Whether it has what a {@link Logger} has to have. */
export function isLogger(value: unknown): value is Logger {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return [...lineLevels, 'child'].every(
    (method) => typeof (Reflect.get(value, method) as unknown) === 'function',
  );
}

/** What a part of kvs-bridge calls: never throws, and lets no secret through. */
export type ComponentLog = Readonly<Record<LineLevel, LogMethod>>;

/** One for each part. */
export type Logs = Readonly<Record<LogComponent, ComponentLog>>;

/** @param logger - where all of it goes; nowhere without one */
export function componentLogs(logger: Logger | undefined): Logs {
  const entries = Object.values(LogComponent).map((component) => {
    const child = logger?.child({ component });
    return [component, safeLog(child)] as const;
  });
  // One entry for each component.
  return Object.fromEntries(entries) as Logs;
}

function safeLog(logger: Logger | undefined): ComponentLog {
  const method =
    (level: LineLevel): LogMethod =>
    (fields, message) => {
      if (logger === undefined) return;
      try {
        logger[level](redactFields(fields) as object, redact(message));
      } catch {
        // A logger that fails, such as one whose disk is full, must not end a recording.
      }
    };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  };
}
