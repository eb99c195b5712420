/** What is deployed: config.json, its defaults and its checks. */
import { readFileSync } from 'node:fs';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as v from 'valibot';
import { ConfigError } from './config-error.js';

/** Longest time in seconds that Fargate lets a container have after SIGTERM (ECS, `stopTimeout`). */
export const maxStopTimeoutS = 120;

/** What a stop needs besides the drain: the media process ends, the last log lines leave. */
export const stopMarginS = 20;

/** CPU units of a Fargate task, and the MiB of memory that go with them. */
const fargateSizes: Readonly<Record<number, { min: number; max: number; step: number }>> = {
  512: { min: 1_024, max: 4_096, step: 1_024 },
  1_024: { min: 2_048, max: 8_192, step: 1_024 },
  2_048: { min: 4_096, max: 16_384, step: 1_024 },
  4_096: { min: 8_192, max: 30_720, step: 1_024 },
};

/** The smallest size is the only one with half a GiB. */
const smallestCpu = 256;
const smallestMemoriesMiB: readonly number[] = [512, 1_024, 2_048];

/** Days that CloudWatch Logs can keep a log for; 9999 is for ever. */
const retentionDays = Object.values(RetentionDays).filter((value) => typeof value === 'number');

const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'));
const flag = v.boolean('must be true or false');
const whole = (min: number, max: number): v.GenericSchema<number> =>
  v.pipe(
    v.number(`must be a whole number from ${min} to ${max}`),
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  );

/** Names as KVS takes them; shorter than its 256, as alarms and metrics are named by them too. */
const namePattern = /^[a-zA-Z0-9_.-]{1,128}$/;
const arnPattern = (kind: string): RegExp =>
  new RegExp(`^arn:[a-z-]+:kinesisvideo:[a-z0-9-]+:\\d{12}:${kind}/[a-zA-Z0-9_.-]{1,128}/\\d+$`);

/** Made when it is a name, used as it is when it is an ARN. */
const nameOrArn = (kind: 'channel' | 'stream'): v.GenericSchema<string> =>
  v.pipe(
    text,
    v.check(
      (value) => namePattern.test(value) || arnPattern(kind).test(value),
      `must be the name of a new ${kind}, or the ARN of one that exists`,
    ),
  );

/** Options of the command, and what GStreamer, Node and OpenTelemetry read; never keys. */
const environment = v.pipe(
  v.record(text, v.string('must be text')),
  v.check(
    (values) => Object.keys(values).every((name) => /^(KVS_BRIDGE|GST|NODE|OTEL)_/.test(name)),
    'may hold KVS_BRIDGE_…, GST_…, NODE_… and OTEL_… only; keys come from the task role',
  ),
);

const channelSchema = v.pipe(
  v.strictObject({
    channel: nameOrArn('channel'),
    stream: nameOrArn('stream'),
    retentionHours: v.optional(whole(1, 87_600)),
    alwaysOn: v.optional(flag, true),
    cpu: v.optional(whole(256, 4_096), 512),
    memoryMiB: v.optional(whole(512, 30_720), 1_024),
    drainTimeoutS: v.optional(whole(1, maxStopTimeoutS - stopMarginS), 10),
    spoolMb: v.optional(whole(0, 15_000), 8_000),
    gapAlarmMs: v.optional(whole(0, 300_000), 0),
    environment: v.optional(environment, {}),
  }),
  v.check(
    ({ stream, retentionHours }) => retentionHours === undefined || !stream.startsWith('arn:'),
    'retentionHours is for streams that are made here',
  ),
  v.check(({ cpu, memoryMiB }) => isFargateSize(cpu, memoryMiB), 'Fargate has no such size'),
);

const schema = v.strictObject({
  region: v.pipe(text, v.regex(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'must be like eu-west-1')),
  stackName: v.optional(
    v.pipe(text, v.regex(/^[a-zA-Z][a-zA-Z0-9-]{0,100}$/, 'must be letters, digits and hyphens')),
    'KvsBridge',
  ),
  image: v.union(
    [
      v.strictObject({ repository: v.optional(text, 'kvs-bridge'), tag: text }),
      v.strictObject({ uri: text }),
    ],
    'must have a tag (and a repository, when it is not kvs-bridge), or a uri',
  ),
  architecture: v.optional(v.picklist(['X86_64', 'ARM64'], 'must be X86_64 or ARM64'), 'X86_64'),
  channels: v.pipe(
    v.array(channelSchema),
    v.minLength(1, 'must not be empty'),
    v.check((list) => areDistinct(list, 'channel'), 'must not name a channel twice'),
    v.check((list) => areDistinct(list, 'stream'), 'must not name a stream twice'),
  ),
  vpc: v.optional(
    v.strictObject({
      id: v.pipe(text, v.startsWith('vpc-', 'must be like vpc-0123456789abcdef0')),
      availabilityZones: v.pipe(v.array(text), v.minLength(1, 'must not be empty')),
      subnetIds: v.pipe(v.array(text), v.minLength(1, 'must not be empty')),
      assignPublicIp: v.optional(flag, true),
    }),
  ),
  logRetentionDays: v.optional(
    v.enum(RetentionDays, `must be one of ${retentionDays.join(', ')}`),
    RetentionDays.ONE_MONTH,
  ),
  encryptLogs: v.optional(flag, false),
  containerInsights: v.optional(flag, false),
  alarmEmail: v.optional(v.pipe(text, v.email('must be an address'))),
  removeData: v.optional(flag, false),
  tags: v.optional(v.record(text, v.string('must be text')), {}),
});

/** A deployment, with every default filled in. */
export type DeploymentConfig = v.InferOutput<typeof schema>;

/** One channel that is recorded. */
export type ChannelConfig = DeploymentConfig['channels'][number];

/**
 * Reads a deployment from a JSON file.
 *
 * @throws {@link ConfigError} when there is no such file, it is not JSON, or a value is wrong
 */
export function readConfig(file: string): DeploymentConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `${file} cannot be read: ${reason}; copy config.example.json to config.json, or name another file with --context config=…`,
    );
  }
  return parseConfig(value);
}

/** @throws {@link ConfigError} naming the first value that is wrong */
export function parseConfig(value: unknown): DeploymentConfig {
  const result = v.safeParse(schema, value);
  if (result.success) return checkRegions(result.output);
  const [issue] = result.issues;
  throw new ConfigError(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
}

/** The name in an ARN, or the name itself. */
export function nameOf(nameOrArn: string): string {
  const [, name = nameOrArn] = nameOrArn.split('/');
  return name;
}

/** @throws {@link ConfigError} a bridge and what it uses have to be in one region */
function checkRegions(config: DeploymentConfig): DeploymentConfig {
  for (const { channel, stream } of config.channels) {
    for (const arn of [channel, stream].filter((value) => value.startsWith('arn:'))) {
      if (arn.split(':')[3] !== config.region) {
        throw new ConfigError(`channels: ${arn} is not in region ${config.region}`);
      }
    }
  }
  return config;
}

function areDistinct(
  list: readonly { readonly channel: string; readonly stream: string }[],
  key: 'channel' | 'stream',
): boolean {
  return new Set(list.map((entry) => nameOf(entry[key]))).size === list.length;
}

function isFargateSize(cpu: number, memoryMiB: number): boolean {
  if (cpu === smallestCpu) return smallestMemoriesMiB.includes(memoryMiB);
  const size = fargateSizes[cpu];
  if (size === undefined) return false;
  return memoryMiB >= size.min && memoryMiB <= size.max && memoryMiB % size.step === 0;
}
