/** Joins flags, environment, config file and defaults: the first of them that speaks counts. */
import { readFileSync } from 'node:fs';
import { OptionsError } from '../../lib/index.js';
import { InvalidValue, envNamesOf, flagOf, pairSeparator } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';
import { optionTable } from './option-table.js';
import type { OptionName, Values } from './option-table.js';

/** What was said, and where. */
export interface Sources {
  /** Values of flags that were given, by option name; a switch says `true` or `false`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the config file; the environment's `KVS_BRIDGE_CONFIG` counts when it is absent. */
  readonly configPath?: string;
}

/** A value as text, and how to name the place where it stands. */
interface Said {
  readonly text: string;
  readonly where: string;
}

/** The environment variable that names the config file. */
export const configEnv = 'KVS_BRIDGE_CONFIG';

/**
 * The values of `names`.
 *
 * @throws {@link OptionsError} that names the flag, variable or config entry that is wrong
 */
export function resolveSettings<K extends OptionName>(
  names: readonly K[],
  { flags, env, configPath }: Sources,
): Values<K> {
  const path = configPath ?? env[configEnv];
  const file = path === undefined || path === '' ? new Map<string, Said>() : readConfig(path);
  const entries = names.map((name) => {
    const spec: OptionSpec<unknown> = optionTable[name];
    const said = fromFlags(name, spec, flags) ?? fromEnv(name, spec, env) ?? file.get(name);
    return [name, said === undefined ? spec.default : read(name, spec, said)] as const;
  });
  // Each entry was read by its own option's parser.
  return Object.fromEntries(entries) as Values<K>;
}

/**
 * The value of an option that a command cannot do without.
 *
 * @throws {@link OptionsError} that says how to give it
 */
export function required<T>(name: OptionName, value: T | undefined): T {
  if (value !== undefined) return value;
  const spec: OptionSpec<unknown> = optionTable[name];
  const flag = flagOf(name, spec);
  throw new OptionsError(flag, `No ${name} is given`, {
    fix: `Pass ${flag} <${spec.value ?? name}>, or set ${envNamesOf(name, spec).join(' or ')}, or "${name}" in the config file.`,
  });
}

function fromFlags(
  name: string,
  spec: OptionSpec<unknown>,
  flags: Sources['flags'],
): Said | undefined {
  const text = flags[name];
  return text === undefined ? undefined : { text, where: flagOf(name, spec) };
}

function fromEnv(name: string, spec: OptionSpec<unknown>, env: Sources['env']): Said | undefined {
  for (const variable of envNamesOf(name, spec)) {
    const text = env[variable];
    // Empty counts as unset: that is how a variable is cleared in compose files and units.
    if (text === undefined || text === '') continue;
    return {
      text: spec.kind === 'pairs' ? text.replaceAll(',', pairSeparator) : text,
      where: variable,
    };
  }
  return undefined;
}

function read(name: OptionName, spec: OptionSpec<unknown>, { text, where }: Said): unknown {
  try {
    return spec.parse(text);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    const fix = error.cause instanceof OptionsError ? error.cause.fix : undefined;
    throw new OptionsError(
      name,
      `${where} must be ${error.message}${insteadOf(error.part ?? text)}`,
      {
        fix: fix ?? `Correct ${where} and start again.`,
      },
    );
  }
}

/**
 * The value, unless it may be a secret in the wrong place. A number with its unit and a short word
 * are what people mistype; keys, tokens and passwords are longer, or letters and digits in turn.
 */
function insteadOf(text: string): string {
  return /^(?:[-+]?[\d.,]{0,12}[a-z%]{0,3}|[a-z]{1,12}(?:[-_,:=.][a-z]{0,12}){0,2}|[a-z]{1,4}\d{1,3})$/i.test(
    text,
  )
    ? `, not "${text}"`
    : '';
}

/** Where JSON.parse stopped. What else it says shows the file's text, which may be secret. */
function placeOf({ message }: SyntaxError): string {
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0];
  return place === undefined ? '' : ` ${place}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readConfig(path: string): Map<string, Said> {
  const refuse = (message: string, fix: string, cause?: unknown): OptionsError =>
    new OptionsError('config', message, { fix, ...(cause === undefined ? {} : { cause }) });
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const fix = `Correct the file, or the path in --config or ${configEnv}.`;
    if (error instanceof SyntaxError) {
      throw refuse(`The config file ${path} is not JSON${placeOf(error)}`, fix);
    }
    throw refuse(`The config file ${path} cannot be read: ${reasonOf(error)}`, fix, error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw refuse(
      `The config file ${path} must hold a JSON object`,
      'Write it like {"channel": "front-door", "stream": "front-door"}.',
    );
  }
  return new Map(
    Object.entries(content).map(([key, value]: [string, unknown]) => {
      const where = `"${key}" in ${path}`;
      if (!Object.hasOwn(optionTable, key)) {
        // The option names are words: what is none may be a secret whose place was mixed up.
        const what = /^[a-z_-]{1,32}$/i.test(key) ? where : `An entry of ${path}`;
        throw refuse(
          `${what} is not an option of kvs-bridge`,
          `Remove it or correct its name; known are: ${Object.keys(optionTable).join(', ')}.`,
        );
      }
      const spec: OptionSpec<unknown> = optionTable[key as OptionName];
      const text = spec.kind === 'pairs' ? pairsText(value) : plainText(value);
      if (text === undefined) {
        const expected =
          spec.kind === 'pairs' ? 'an object with texts' : 'text, a number, true or false';
        throw refuse(`${where} must be ${expected}`, `Correct ${where}.`);
      }
      return [key, { text, where }] as const;
    }),
  );
}

function plainText(value: unknown): string | undefined {
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? String(value) : undefined;
}

/** An object of texts as lines of `name=value`. */
function pairsText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const lines = entries.map(([name, text]) =>
    typeof text === 'string' && !`${name}${text}`.includes(pairSeparator)
      ? `${name}=${text}`
      : undefined,
  );
  return lines.includes(undefined) ? undefined : lines.join(pairSeparator);
}
