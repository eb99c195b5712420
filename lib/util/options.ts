/** Checks of options that a person typed: errors name the option, what was expected and the fix. */
import * as v from 'valibot';
import { OptionsError } from './errors.js';

const wholeText = (min: number, max: number): string =>
  `must be a whole number from ${String(min)} to ${String(max)}`;

const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'));

/** The rules that several classes share; messages continue "Option x …". */
export const rules = {
  /** Not empty. */
  text,
  /** A whole number within bounds, both included. */
  whole: (min: number, max: number) =>
    v.pipe(
      v.number(wholeText(min, max)),
      v.integer(wholeText(min, max)),
      v.minValue(min, wholeText(min, max)),
      v.maxValue(max, wholeText(min, max)),
    ),
  flag: v.boolean('must be true or false'),
  /** An absolute http or https URL. */
  httpUrl: v.pipe(
    text,
    v.check(
      (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
      'must be an http:// or https:// URL',
    ),
  ),
  region: v.pipe(text, v.regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'must be a region like us-east-1')),
  /** Stream and channel names (KVS API reference). */
  name: v.pipe(text, v.regex(/^[\w.-]{1,256}$/, 'must be 1 to 256 of a-z A-Z 0-9 _ . -')),
  /** Viewer ids (KVS WebRTC dev guide, ConnectAsViewer). */
  clientId: v.pipe(
    text,
    v.regex(
      /^(?!aws_)[\w.-]{1,256}$/i,
      'must be 1 to 256 of a-z A-Z 0-9 _ . - and not begin with AWS_',
    ),
  ),
  credentials: v.object(
    {
      accessKeyId: text,
      secretAccessKey: text,
      sessionToken: v.exactOptional(text),
      expiration: v.exactOptional(v.date()),
    },
    'must be an object with accessKeyId and secretAccessKey',
  ),
} as const;

/**
 * Checks `options` and fills in the schema's defaults.
 *
 * @throws {@link OptionsError} naming the first option that is wrong
 */
export function parseOptions<TSchema extends v.GenericSchema>(
  schema: TSchema,
  options: unknown,
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, options);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const option = v.getDotPath(issue) ?? 'options';
  throw new OptionsError(option, `Option ${option} ${describe(issue)}`, {
    fix: `Correct ${option} and start again.`,
  });
}

function describe(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== 'strict_object') return issue.message;
  return issue.expected === 'never' ? 'is not known' : 'is missing';
}

/**
 * The region given, or the environment's.
 *
 * @throws {@link OptionsError} when there is none
 */
export function regionOf(region: string | undefined): string {
  const found = region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (found !== undefined && found !== '') return found;
  throw new OptionsError('region', 'No AWS region is given', {
    fix: 'Pass --region (library: the region option) or set AWS_REGION.',
  });
}
