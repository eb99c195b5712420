/** Log lines for people: the time of day, a mark for what is wrong, the message. */
import { prettyFactory } from 'pino-pretty';

const marks: Readonly<Record<string, { readonly mark: string; readonly color: number }>> = {
  trace: { mark: '·', color: 2 },
  debug: { mark: '·', color: 2 },
  info: { mark: ' ', color: 0 },
  warn: { mark: '!', color: 33 },
  error: { mark: '✗', color: 31 },
};

const formatters = { plain: createFormatter(false), colored: createFormatter(true) } as const;

/**
 * A JSON log line as a person reads it. What is not a log line passes unchanged.
 *
 * @param line - one JSON object of the logger
 */
export function prettyLine(line: string, color: boolean): string {
  return formatters[color ? 'colored' : 'plain'](line).trimEnd();
}

function createFormatter(color: boolean): (line: string) => string {
  return prettyFactory({
    colorize: color,
    hideObject: true,
    // All of it is in the message.
    include: '',
    messageFormat: (fields) => format(fields, color),
  });
}

function format(fields: Readonly<Record<string, unknown>>, color: boolean): string {
  const { time, level, msg, fix } = fields;
  if (typeof time !== 'string' || typeof level !== 'string') return JSON.stringify(fields);
  const { mark, color: code } = marks[level] ?? { mark: ' ', color: 0 };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const advice = typeof fix === 'string' ? `. ${fix}` : '';
  const body = `${mark} ${sourceOf(fields)}${String(msg)}${advice}`;
  return color ? `\u001B[2m${clock}\u001B[0m \u001B[${code}m${body}\u001B[0m` : `${clock} ${body}`;
}

/** Events say what they are about; other lines need the name of who says them. */
function sourceOf({
  component,
  event,
  category,
  object,
}: Readonly<Record<string, unknown>>): string {
  if (typeof component !== 'string' || event !== undefined) return '';
  const words = [component, category, object].filter((word) => typeof word === 'string');
  return `${words.join(' ')}: `;
}
