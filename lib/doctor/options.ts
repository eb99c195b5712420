/** Options of `runDoctor`: those of a bridge, each of them optional. */
import * as v from 'valibot';
import { resolveOptions } from '../bridge/options.js';
import { parseResource } from '../aws/resource-names.js';
import type { KvsBridgeOptions, ResolvedOptions } from '../bridge/options.js';
import { parseOptions, rules } from '../util/options.js';
import { DoctorTopic } from './report.js';

/** What `runDoctor` looks at: the options that the bridge is to be started with. */
export interface DoctorOptions extends Partial<KvsBridgeOptions> {
  /** Which topics to look at. @defaultValue all of them */
  readonly only?: readonly DoctorTopic[];
  /** How long one step may take, such as one request, in ms, 100 to 60000. @defaultValue 5000 */
  readonly stepTimeoutMs?: number;
  /** Ends the checks; `runDoctor` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Options with every default filled in. */
export interface ResolvedDoctorOptions extends Omit<ResolvedOptions, 'channel' | 'stream'> {
  readonly channel: string | undefined;
  readonly stream: string | undefined;
  /** Where the region was named; undefined when nobody named one, and `region` is a placeholder. */
  readonly regionOrigin: string | undefined;
  readonly only: readonly DoctorTopic[];
  readonly stepTimeoutMs: number;
}

const topics = Object.values(DoctorTopic);

const ownSchema = v.strictObject({
  only: v.exactOptional(
    v.pipe(
      v.array(v.picklist(topics, `must list some of ${topics.join(', ')}`)),
      v.minLength(1, 'must not be empty'),
    ),
    topics,
  ),
  stepTimeoutMs: v.exactOptional(rules.whole(100, 60_000), 5_000),
});

/** A name that passes for a channel or a stream where none is given. */
const placeholder = '-';

/**
 * Checks options and fills in the defaults. A channel, a stream or a region that is missing is a
 * finding, not an error.
 *
 * @throws {@link OptionsError} that names the option, what was expected and the fix
 */
export function resolveDoctorOptions(
  options: Omit<DoctorOptions, 'signal'>,
): ResolvedDoctorOptions {
  const { only, stepTimeoutMs, channel, stream, ...bridge } = options;
  const own = parseOptions(ownSchema, {
    ...(only === undefined ? {} : { only }),
    ...(stepTimeoutMs === undefined ? {} : { stepTimeoutMs }),
  });
  const regionOrigin = originOfRegion(bridge.region);
  const resolved = resolveOptions({
    ...bridge,
    channel: channel ?? placeholder,
    stream: stream ?? placeholder,
    ...(regionOrigin === undefined ? { region: 'us-east-1' } : {}),
  });
  // An ARN of another region is a finding; a name that cannot be is not worth asking for.
  if (channel !== undefined) parseResource('channel', channel, regionOfArn(channel) ?? '');
  return { ...resolved, ...own, channel, stream, regionOrigin };
}

function originOfRegion(region: string | undefined): string | undefined {
  if (region !== undefined) return 'the options';
  return ['AWS_REGION', 'AWS_DEFAULT_REGION'].find((name) => (process.env[name] ?? '') !== '');
}

/** The region that an ARN names; undefined for a name. */
export function regionOfArn(nameOrArn: string): string | undefined {
  return /^arn:[^:]*:kinesisvideo:([^:]+):/.exec(nameOrArn)?.[1];
}
