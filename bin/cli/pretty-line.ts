/** Log lines for people: the time of day, a mark for what is wrong, the message. */

const marks: Readonly<Record<string, { readonly mark: string; readonly color: number }>> = {
  debug: { mark: '·', color: 2 },
  info: { mark: ' ', color: 0 },
  warn: { mark: '!', color: 33 },
  error: { mark: '✗', color: 31 },
};

/**
 * A JSON log line as a person reads it. What is not a log line passes unchanged.
 *
 * @param line - one JSON object of the logger
 */
export function prettyLine(line: string, color: boolean): string {
  const { time, level, msg, fix } = fieldsOf(line);
  if (typeof time !== 'string' || typeof level !== 'string' || typeof msg !== 'string') return line;
  const { mark, color: code } = marks[level] ?? { mark: ' ', color: 0 };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const advice = typeof fix === 'string' ? `. ${fix}` : '';
  const body = `${mark} ${msg}${advice}`;
  return color ? `\u001B[2m${clock}\u001B[0m \u001B[${code}m${body}\u001B[0m` : `${clock} ${body}`;
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
