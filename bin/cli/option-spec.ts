/** What an option is, and the readers of its values. */

/** A value that a reader refuses; the message continues "… must be". */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
  /** What of the value is wrong; all of it when undefined. */
  readonly part: string | undefined;

  constructor(message: string, { part, cause }: { part?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.part = part;
  }
}

/** The headings of `--help`, in their order. */
export const OptionGroup = {
  what: 'What to record:',
  demo: 'Demo:',
  server: 'Server:',
  source: 'Source:',
  aws: 'Where KVS is:',
  media: 'Media:',
  time: 'Patience:',
  http: 'Health and metrics:',
  output: 'Output:',
} as const;

/** One of {@link OptionGroup}. */
export type OptionGroup = (typeof OptionGroup)[keyof typeof OptionGroup];

/**
 * One option of the command line. Its key in the table is its name in a config file; flag and
 * environment variable follow from it: `jitterBufferMs`, `--jitter-buffer-ms`,
 * `KVS_BRIDGE_JITTER_BUFFER_MS`.
 */
export interface OptionSpec<T> {
  /**
   * `value`: takes one; `switch`: turns something on; `off`: its flag is `--no-…` and turns
   * something off; `optional`: may stand alone or take a value; `pairs`: its flag is in the
   * singular and may be repeated, each with one `name=value`. The environment separates pairs by
   * commas, a config file has an object.
   */
  readonly kind: 'value' | 'switch' | 'off' | 'optional' | 'pairs';
  /** What the value is, as help shows it: `<seconds>`. */
  readonly value?: string;
  /** One sentence without a full stop. */
  readonly description: string;
  readonly group: OptionGroup;
  /** Environment variables besides our own, the first that is set counts. */
  readonly alsoEnv?: readonly string[];
  /** @throws {@link InvalidValue} */
  readonly parse: (text: string) => T;
  /** What counts when nobody says anything. */
  readonly default?: T;
  /** How help shows the default when it is not a plain value. */
  readonly defaultText?: string;
}

/** The type of an option's value: with a default it is always there. */
export type ValueOf<S> = S extends { parse: (text: string) => infer T }
  ? S extends { default: unknown }
    ? T
    : T | undefined
  : never;

/** `jitterBufferMs` as `jitter-buffer-ms`. */
function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How a person writes an option on the command line, such as `--no-sound`. */
export function flagOf(key: string, { kind }: OptionSpec<unknown>): string {
  return `--${kind === 'off' ? 'no-' : ''}${kebab(kind === 'pairs' ? singular(key) : key)}`;
}

function singular(key: string): string {
  return key.replace(/s$/, '');
}

/** The environment variables that set an option, our own first. */
export function envNamesOf(key: string, { alsoEnv = [] }: OptionSpec<unknown>): readonly string[] {
  return [`KVS_BRIDGE_${kebab(key).replaceAll('-', '_').toUpperCase()}`, ...alsoEnv];
}

/** Any text but none. */
export function text(value: string): string {
  if (value === '') throw new InvalidValue('a text that is not empty');
  return value;
}

/** Between the pairs of an option of the kind `pairs`, whatever they came from. */
export const pairSeparator = '\n';

/** Lines of `name=value`; none at all is no pair. */
export function pairs(value: string): Readonly<Record<string, string>> {
  if (value === '') return {};
  const entries = value.split(pairSeparator).map((line) => {
    const at = line.indexOf('=');
    if (at < 1) throw new InvalidValue('of the form name=value');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  return Object.fromEntries(entries);
}

/** True or false, as people write it. */
export function flag(value: string): boolean {
  if (/^(?:true|1|yes|on)$/i.test(value)) return true;
  if (/^(?:false|0|no|off)$/i.test(value)) return false;
  throw new InvalidValue('true or false');
}

/** A whole number within bounds, both included. */
export function whole(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidValue(`a whole number from ${min} to ${max}`);
  };
}

/** A number of seconds within bounds, fractions allowed, read as milliseconds. */
export function seconds(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return Math.round(number * 1_000);
    throw new InvalidValue(`a number of seconds from ${min} to ${max}`);
  };
}

const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time, or how long ago it is, such as `90m`; read as Unix epoch ms. */
export function timeOrAge(value: string): number {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d+)?)([smhd])$/.exec(value) ?? [];
  const ageMs = Number(number) * (unitsMs[unit] ?? NaN);
  if (Number.isFinite(ageMs)) return Math.max(0, Math.round(Date.now() - ageMs));
  const timeMs = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  if (timeMs >= 0) return timeMs;
  throw new InvalidValue('a time like 2025-03-01T12:00:00Z, or an age like 45s, 90m, 12h or 7d');
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): (value: string) => T {
  return (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    throw new InvalidValue(words.join(', ').replace(/, ([^,]*)$/, ' or $1'));
  };
}

/** Some of a few words, at least one and each once, separated by commas. */
export function listOf<const T extends string>(
  ...words: readonly T[]
): (value: string) => readonly T[] {
  return (value) => {
    const list: T[] = [];
    for (const part of value.split(',').map((each) => each.trim())) {
      const word = words.find((candidate) => candidate === part);
      if (word === undefined || list.includes(word)) {
        throw new InvalidValue(`a list of some of ${words.join(', ')}, each once`, { part });
      }
      list.push(word);
    }
    return list;
  };
}

/** An http or https URL. */
export function httpUrl(value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new InvalidValue('an http:// or https:// URL');
}
