/** The IAM actions that a bridge needs, each tried in a way that changes nothing. */
import { awsErrorOf } from '../../aws/aws-errors.js';
import { ErrorCode } from '../../util/errors.js';
import { finding } from '../catalog/catalog.js';
import type { Check, CheckContext } from '../check.js';
import { reasonOf } from '../probes/attempt.js';
import type { Attempt, Probe } from '../probes/attempt.js';
import type { DoctorFinding } from '../report.js';

interface Action {
  readonly name: string;
  readonly on: 'channel' | 'stream';
  readonly probe: Probe<unknown>;
  /** What is said when it is denied. @defaultValue 'permissions.denied' */
  readonly denied?:
    'permissions.denied' | 'permissions.denied-archive' | 'permissions.denied-storage';
}

/** Answers to what is missing, or not wanted right now, come after the permission was looked at. */
const allowedCodes: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.channelNotFound,
  ErrorCode.streamNotFound,
  ErrorCode.signaling,
]);

export const permissionsCheck: Check = {
  topic: 'permissions',
  run: async (context) => {
    const attempts = await Promise.all(
      actionsOf(context).map(async (action) => ({ action, attempt: await action.probe() })),
    );
    const untried = new Map<string, string[]>();
    const findings: DoctorFinding[] = [];
    for (const { action, attempt } of attempts) {
      const reason = untriedReason(attempt);
      if (reason === undefined) findings.push(findingOf(action, attempt, context));
      else untried.set(reason, [...(untried.get(reason) ?? []), action.name]);
    }
    for (const [reason, names] of untried) {
      findings.push(finding('permissions.untried', { action: names.join(', '), reason }));
    }
    return findings;
  },
};

function actionsOf({ aws, options }: CheckContext): readonly Action[] {
  const actions: Action[] = [
    { name: 'DescribeSignalingChannel', on: 'channel', probe: aws.describeChannel },
    {
      name: 'DescribeMediaStorageConfiguration',
      on: 'channel',
      probe: aws.mediaStorage,
      denied: 'permissions.denied-storage',
    },
    { name: 'GetSignalingChannelEndpoint', on: 'channel', probe: aws.signalingEndpoints },
    { name: 'GetIceServerConfig', on: 'channel', probe: aws.iceServers },
    { name: 'ConnectAsViewer', on: 'channel', probe: aws.connectAsViewer },
    { name: 'DescribeStream', on: 'stream', probe: aws.describeStream },
    { name: 'GetDataEndpoint', on: 'stream', probe: aws.dataEndpoint },
    { name: 'PutMedia', on: 'stream', probe: () => putMediaAttempt(aws.putMedia, options) },
    {
      name: 'ListFragments',
      on: 'stream',
      probe: () => archiveAttempt(aws),
      denied: 'permissions.denied-archive',
    },
  ];
  if (options.createStream) {
    actions.push({ name: 'CreateStream', on: 'stream', probe: () => createAttempt(aws) });
  }
  return actions;
}

/** A stream that is missing would be made by trying. */
async function createAttempt(aws: CheckContext['aws']): Promise<Attempt<unknown>> {
  const stream = await aws.describeStream();
  return stream.kind === 'failed' && stream.error.code === ErrorCode.streamNotFound
    ? { kind: 'untried', reason: 'trying would make the stream' }
    : aws.createStream();
}

/** KVS looks at signature and permission before it refuses a request for anything else. */
async function putMediaAttempt(
  probe: CheckContext['aws']['putMedia'],
  { region, stream = '' }: CheckContext['options'],
): Promise<Attempt<unknown>> {
  const attempt = await probe();
  if (attempt.kind !== 'done' || attempt.value === undefined) return attempt;
  const failure = attempt.value;
  if (failure.status === 400 && failure.kind !== 'credentials') return { kind: 'done', value: '' };
  const call = {
    ...{ action: 'PutMedia', region, host: 'the data endpoint' },
    resource: { type: 'stream', name: stream },
  } as const;
  return { kind: 'failed', error: awsErrorOf(failure, call) };
}

/** A stream that keeps nothing has no archive to look into, and the stream's check says so. */
async function archiveAttempt(aws: CheckContext['aws']): Promise<Attempt<unknown>> {
  const attempt = await aws.listFragments();
  const isEmpty =
    attempt.kind === 'failed' && attempt.error.message.includes('NoDataRetentionException');
  return isEmpty ? { kind: 'done', value: undefined } : attempt;
}

/** Why nobody can tell; undefined when somebody can. */
function untriedReason(attempt: Attempt<unknown>): string | undefined {
  if (attempt.kind === 'untried') return attempt.reason;
  const isRefused = attempt.kind === 'failed' && attempt.error.code === ErrorCode.credentials;
  return isRefused ? 'the credentials are not accepted' : undefined;
}

function findingOf(
  { name: action, on, denied = 'permissions.denied' }: Action,
  attempt: Attempt<unknown>,
  { options }: CheckContext,
): DoctorFinding {
  if (attempt.kind !== 'failed' || allowedCodes.has(attempt.error.code)) {
    return finding('permissions.allowed', { action });
  }
  const { error } = attempt;
  if (error.code === ErrorCode.accessDenied) {
    return finding(denied, { action, resource: arnOf(on, options) });
  }
  return finding('permissions.failed', {
    action,
    reason: reasonOf(error),
    region: options.region,
  });
}

/** As a policy names it; the account is the reader's own. */
function arnOf(on: Action['on'], { region, channel, stream }: CheckContext['options']): string {
  const name = on === 'channel' ? channel : stream;
  if (name?.startsWith('arn:') === true) return name;
  return `arn:aws:kinesisvideo:${region}:*:${on}/${name ?? '*'}/*`;
}
