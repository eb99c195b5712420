/** A logger that leaves lines out. */
import type { LineLevel, LogMethod, Logger } from '../../lib/index.js';

/** @param isLeftOut - asked about each line */
export function withoutLines(
  logger: Logger,
  isLeftOut: (level: LineLevel, fields: object) => boolean,
): Logger {
  const method =
    (level: LineLevel): LogMethod =>
    (fields, message) => {
      if (!isLeftOut(level, fields)) logger[level](fields, message);
    };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (bindings) => withoutLines(logger.child(bindings), isLeftOut),
  };
}
