/** Structured logs. Every text in them goes through {@link redact}. */
import { pino } from 'pino';
import type { Logger } from 'pino';
import { redact } from '../util/redact.js';

/** How much is logged, most first. */
export const LogLevel = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  silent: 'silent',
} as const;

/** One of {@link LogLevel}. */
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes one JSON object as text, without a line end. */
  readonly write: (line: string) => void;
}

/**
 * A pino logger that writes one JSON object a line, with `time` (ISO), `level` as a word and `msg`,
 * and lets no secret through.
 */
export function createLogger({ level, write }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          method.apply(this, args.map(redactArgument) as typeof args);
        },
      },
    },
    {
      write: (line: string) => {
        write(line.trimEnd());
      },
    },
  );
}

/** Only texts: objects are redacted by the formatter, when they are logged at all. */
function redactArgument(argument: unknown): unknown {
  return typeof argument === 'string' ? redact(argument) : argument;
}

/** A copy of plain data with every text redacted; an Error becomes its code and message. */
export function redactFields(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Error) {
    const code = 'code' in value ? { code: redactFields(value.code) } : {};
    return { ...code, message: redact(value.message) };
  }
  if (Array.isArray(value)) return value.map(redactFields);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, redactFields(member)]),
  );
}
