/**
 * CloudWatch's filter patterns for JSON log events, as far as infra/ uses them (AWS CloudWatch Logs
 * user guide, "Filter pattern syntax"): `{ ($.a = "text") && ($.b != "text") && ($.c > 1) }`.
 */

/** Values of a metric: one of each log event that fits. */
export function metricValues(
  { pattern, value }: { readonly pattern: string; readonly value: string },
  lines: readonly string[],
): readonly number[] {
  const conditions = conditionsOf(pattern);
  return lines.flatMap((line) => {
    const event = asObject(line);
    if (event === undefined || !conditions.every((fits) => fits(event))) return [];
    const field = fieldOf(value);
    const number = Number(field === undefined ? value : event[field]);
    // CloudWatch takes nothing of an event whose value is no number.
    return Number.isFinite(number) ? [number] : [];
  });
}

type LogEvent = Readonly<Record<string, unknown>>;

const operators: Readonly<Record<string, (found: unknown, wanted: string | number) => boolean>> = {
  '=': (found, wanted) => found === wanted,
  '!=': (found, wanted) => found !== undefined && found !== wanted,
  '>': (found, wanted) => typeof found === 'number' && found > Number(wanted),
};

function conditionsOf(pattern: string): readonly ((event: LogEvent) => boolean)[] {
  const inner = /^\{ (.+) \}$/.exec(pattern)?.[1];
  if (inner === undefined) throw new Error(`no pattern for JSON: ${pattern}`);
  return inner.split(' && ').map((part) => {
    const [, selector = '', operator = '', wanted = ''] =
      /^\(?(\$\.\w+) (=|!=|>) ("[^"]*"|\d+)\)?$/.exec(part) ?? [];
    const field = fieldOf(selector);
    const compare = operators[operator];
    if (field === undefined || compare === undefined) throw new Error(`no condition: ${part}`);
    const literal = JSON.parse(wanted) as string | number;
    return (event) => compare(event[field], literal);
  });
}

function fieldOf(selector: string): string | undefined {
  return /^\$\.(\w+)$/.exec(selector)?.[1];
}

function asObject(line: string): LogEvent | undefined {
  try {
    return JSON.parse(line) as LogEvent;
  } catch {
    return undefined;
  }
}
