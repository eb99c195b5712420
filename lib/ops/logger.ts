/** Structured logs. Every text in them goes through {@link redact}. */
import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import { redact, redactFields } from '../util/redact.js';
import type { LogLevels } from './log-levels.js';

/** Options of {@link createLogger}. */
export interface LoggerOptions extends LogLevels {
  /** Takes one JSON object as text, without a line end. */
  readonly write: (line: string) => void;
}

/**
 * A pino logger that writes one JSON object a line, with `time` (ISO), `level` as a word and `msg`,
 * and lets no secret through. Its children have the level of the `component` they are bound to.
 */
export function createLogger({ level, components = {}, write }: LoggerOptions): PinoLogger {
  const own: Readonly<Record<string, string | undefined>> = components;
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
      onChild(child) {
        const component: unknown = child.bindings()['component'];
        if (typeof component === 'string') child.level = own[component] ?? child.level;
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
