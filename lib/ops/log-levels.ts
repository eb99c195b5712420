/** How much is logged, in all and by component. */
import { OptionsError } from '../util/errors.js';
import { LogComponent } from '../util/log.js';

/** How much is logged, most first. */
export const LogLevel = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  silent: 'silent',
} as const;

/** One of {@link LogLevel}. */
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** The level of everything, and of the components that have one of their own. */
export interface LogLevels {
  readonly level: LogLevel;
  /** @defaultValue none: `level` counts for all */
  readonly components?: Readonly<Partial<Record<LogComponent, LogLevel>>>;
}

const levels: readonly string[] = Object.values(LogLevel);
const components: readonly string[] = Object.values(LogComponent);

function isLevel(text: string): text is LogLevel {
  return levels.includes(text);
}

function isComponent(text: string): text is LogComponent {
  return components.includes(text);
}

/**
 * Reads levels as people write them: `info,signaling=debug,gstreamer=warn`. A level alone counts for
 * all that is not named.
 *
 * @throws {@link OptionsError} that says what can be written
 */
export function parseLogLevels(text: string): LogLevels {
  let level: LogLevel | undefined;
  const own: Partial<Record<LogComponent, LogLevel>> = {};
  for (const part of text.split(',').map((entry) => entry.trim())) {
    const [name = '', value] = part.split('=', 2).map((word) => word.trim());
    if (value === undefined && isLevel(name) && level === undefined) level = name;
    else if (value !== undefined && isLevel(value) && isComponent(name) && !(name in own)) {
      own[name] = value;
    } else {
      throw new OptionsError('logLevel', `The log level cannot be read at "${part}"`, {
        fix: `Write a level (${levels.join(', ')}) and, separated by commas, others for components (${components.join(', ')}), each once: info,signaling=debug.`,
      });
    }
  }
  return {
    level: level ?? LogLevel.info,
    ...(Object.keys(own).length === 0 ? {} : { components: own }),
  };
}

/** GStreamer's thresholds that fit a level of its component; its own levels are finer than ours. */
const gstThresholds: Readonly<Record<LogLevel, string>> = {
  silent: '0',
  error: '1',
  warn: '2',
  info: '2',
  debug: '4',
  trace: '6',
};

/**
 * What to ask of GStreamer's log. It warns of much that is none of a user's business: without a level
 * of its own, only its errors.
 *
 * @returns thresholds as GST_DEBUG has them
 */
export function gstThresholdsOf({ level, components: own }: LogLevels): string {
  return gstThresholds[own?.gstreamer ?? (level === LogLevel.silent ? level : LogLevel.error)];
}
