/** Options that say how a command speaks. */
import { LogLevel, OptionsError, bridgeEventNames, parseLogLevels } from '../../lib/index.js';
import type { LogLevels } from '../../lib/index.js';
import { InvalidValue, OptionGroup, flag, listOf, oneOf, seconds, text } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';

function logLevels(value: string): LogLevels {
  try {
    return parseLogLevels(value);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new InvalidValue('a level, and others for components, such as info,signaling=debug', {
      cause: error,
    });
  }
}

const allInfo: LogLevels = { level: LogLevel.info };
const levelNames = Object.values(LogLevel).join(', ');

const eventNames = bridgeEventNames.join(',');

/** A part of the option table. */
export const outputOptions = {
  json: {
    kind: 'switch',
    description: 'Write events to stdout, one JSON object a line',
    group: OptionGroup.output,
    parse: flag,
    default: false,
  },
  events: {
    kind: 'value',
    value: 'list',
    description: `Which events of the recording --json writes: some of ${eventNames}`,
    group: OptionGroup.output,
    parse: listOf(...bridgeEventNames),
    // The metrics have what is measured.
    default: bridgeEventNames.filter((name) => name !== 'stats'),
    defaultText: 'all but stats',
  },
  totalsInterval: {
    kind: 'value',
    value: 'seconds',
    description: 'How often --json writes totals, stats and spool, 1 to 3600',
    group: OptionGroup.output,
    parse: seconds(1, 3_600),
    default: 60_000,
    defaultText: '60',
  },
  logLevel: {
    kind: 'value',
    value: 'levels',
    description: `What to log to stderr: ${levelNames}; and by component, such as info,signaling=debug,gstreamer=warn`,
    group: OptionGroup.output,
    parse: logLevels,
    default: allInfo,
    defaultText: LogLevel.info,
  },
  logFormat: {
    kind: 'value',
    value: 'format',
    description: 'How to log: json, pretty for people, or auto: pretty on a terminal',
    group: OptionGroup.output,
    parse: oneOf('auto', 'json', 'pretty'),
    default: 'auto',
  },
  gstDebug: {
    kind: 'value',
    value: 'levels',
    description: "What to log of GStreamer's own log, as GST_DEBUG has it, 0 to 7: webrtc*:5,2",
    group: OptionGroup.output,
    alsoEnv: ['GST_DEBUG'],
    parse: text,
    defaultText: 'what --log-level says of gstreamer, else its errors',
  },
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;
