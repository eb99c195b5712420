/** Broken set-ups of AWS: region, endpoint, clock, credentials, permissions, channel, stream. */
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { localCredentials, runDoctor } from '../../lib/index.js';
import type { DoctorOptions, DoctorReport, DoctorTopic } from '../../lib/index.js';
import type { CallFailure, Fault } from '../../lib/local/index.js';
import { withVariables } from './doctor-cases.js';
import type { BrokenSetUp } from './doctor-cases.js';
import { freePort } from './free-port.js';
import type { TestKvs } from './local-kvs.js';

/** Keys that end, as roles give them. */
export const temporaryKeys = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: 'secret-access-key-of-a-session',
  sessionToken: 'session-token',
};

/** What the local KVS has to hold. */
export const doctorNames = {
  channel: 'door',
  stream: 'door',
  recordedChannel: 'recorded',
  forgetfulStream: 'forgetful',
  untypedStream: 'untyped',
} as const;

const minuteMs = 60_000;
/** The machine may be busy. */
const stepTimeoutMs = 20_000;

/** The table. */
export async function awsCases(server: TestKvs): Promise<readonly BrokenSetUp[]> {
  const { kvs } = server;
  const { faults } = kvs;
  const { channel, stream } = doctorNames;
  const base: DoctorOptions = {
    ...{ channel, stream, endpoint: kvs.url, region: kvs.region, stunUri: null, stepTimeoutMs },
    credentials: localCredentials,
  };
  const look = (only: DoctorTopic, options: DoctorOptions = {}): Promise<DoctorReport> =>
    runDoctor({ ...base, ...options, only: [only] });
  const without = (
    only: DoctorTopic,
    name: 'credentials' | 'endpoint' | 'region',
    options: DoctorOptions = {},
  ): Promise<DoctorReport> => {
    const rest = { ...base, ...options, only: [only] };
    Reflect.deleteProperty(rest, name);
    return runDoctor(rest);
  };
  const during = async (fault: Fault, work: () => Promise<DoctorReport>): Promise<DoctorReport> => {
    try {
      return await work();
    } finally {
      fault.remove();
    }
  };
  const failing = (
    failure: CallFailure,
    only: DoctorTopic,
    options?: DoctorOptions,
  ): Promise<DoctorReport> =>
    during(faults.failCalls({ times: 1_000, ...failure }), () => look(only, options));
  const shifted = (byMs: number): Promise<DoctorReport> =>
    during(faults.shiftClock({ byMs }), () => look('clock'));
  const chain = (
    variables: Readonly<Record<string, string>>,
    options?: DoctorOptions,
  ): Promise<DoctorReport> =>
    withVariables(variables, () => without('credentials', 'credentials', options));

  const closed = `http://127.0.0.1:${await freePort()}`;
  const ownAddress = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const config = join(server.dataDir, 'aws-config');
  await writeFile(config, ssoConfig);
  const keys = (id: string, secret: string): Record<string, string> => ({
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: secret,
  });
  const { accessKeyId, secretAccessKey } = localCredentials;

  return [
    {
      name: 'no region',
      id: 'region.missing',
      fix: /^Pass --region, or set AWS_REGION$/,
      diagnose: () => withVariables({}, () => without('region', 'region')),
    },
    {
      name: 'the ARN of a channel in another region',
      id: 'region.elsewhere',
      fix: /^Pass --region eu-west-1 /,
      diagnose: () =>
        look('region', {
          channel: 'arn:aws:kinesisvideo:eu-west-1:123456789012:channel/door/1234567890123',
        }),
    },
    {
      name: 'the region of another endpoint',
      id: 'region.refused',
      fix: /^Pass the region of the endpoint with --region/,
      diagnose: () => look('region', { region: 'eu-west-1' }),
    },
    {
      name: 'a local KVS that does not run',
      id: 'endpoints.no-local',
      fix: /^Start the local KVS: kvs-bridge local/,
      diagnose: () => look('endpoints', { endpoint: closed }),
    },
    {
      name: 'a port that a firewall closes',
      id: 'endpoints.unreachable',
      fix: /^Let outbound TCP 9 through/,
      diagnose: () => look('endpoints', { endpoint: `https://${ownAddress ?? ''}:9` }),
      skip: ownAddress === undefined ? 'this machine has no address but loopback' : undefined,
    },
    {
      name: 'a name that nobody knows',
      id: 'endpoints.no-name',
      fix: /--endpoint, and the DNS of this machine: getent hosts kvs\.invalid$/,
      diagnose: () => look('endpoints', { endpoint: 'https://kvs.invalid' }),
    },
    {
      name: 'a certificate of an authority that is not known',
      id: 'endpoints.certificate',
      fix: /--ca-file, or set NODE_EXTRA_CA_CERTS/,
      diagnose: () => look('endpoints', { endpoint: kvs.endpoints.https ?? '' }),
    },
    {
      name: 'a clock that is a minute off',
      id: 'clock.off',
      fix: /timedatectl set-ntp true/,
      diagnose: () => shifted(minuteMs),
    },
    {
      name: 'a clock that is three hours off',
      id: 'clock.wrong',
      fix: /^Set the clock/,
      diagnose: () => shifted(-180 * minuteMs),
    },
    {
      name: 'no credentials',
      id: 'credentials.none',
      fix: /AWS_PROFILE, or give the ECS task, EKS pod or EC2 instance a role/,
      diagnose: () => chain({}),
    },
    {
      name: 'half a key pair',
      id: 'credentials.half',
      fix: /^Set AWS_SECRET_ACCESS_KEY too/,
      diagnose: () => chain({ AWS_ACCESS_KEY_ID: accessKeyId }),
    },
    {
      name: 'a key in quotation marks',
      id: 'credentials.malformed',
      fix: /^Set AWS_SECRET_ACCESS_KEY to the plain value, without quotes/,
      diagnose: () => chain(keys(accessKeyId, `"${secretAccessKey}"`)),
    },
    {
      name: 'temporary keys without their token',
      id: 'credentials.no-token',
      fix: /^Set AWS_SESSION_TOKEN too/,
      diagnose: () => chain(keys(temporaryKeys.accessKeyId, temporaryKeys.secretAccessKey)),
    },
    {
      name: 'temporary keys that nobody renews',
      id: 'credentials.temporary',
      fix: /^Use a profile .* or the role of task or instance/,
      diagnose: () =>
        chain({
          ...keys(temporaryKeys.accessKeyId, temporaryKeys.secretAccessKey),
          AWS_SESSION_TOKEN: temporaryKeys.sessionToken,
        }),
    },
    {
      name: 'a profile that does not exist',
      id: 'credentials.profile',
      fix: /aws configure --profile absent$/,
      diagnose: () => chain({ AWS_PROFILE: 'absent' }),
    },
    {
      name: 'an SSO session that has ended',
      id: 'credentials.sso',
      fix: /^aws sso login --profile work$/,
      diagnose: () => chain({ AWS_PROFILE: 'work', AWS_CONFIG_FILE: config }),
    },
    {
      name: 'a pod whose token is not there',
      id: 'credentials.role',
      fix: /^Check that AWS_WEB_IDENTITY_TOKEN_FILE is right/,
      diagnose: () =>
        chain({
          AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent',
          AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/recorder',
        }),
    },
    {
      name: 'a process that should give out credentials, and hangs',
      id: 'credentials.failed',
      fix: /^Check what gives them out: profile, credential_process/,
      diagnose: () => chain({ AWS_CONFIG_FILE: config }, { stepTimeoutMs: 100 }),
    },
    {
      name: 'keys that have expired',
      id: 'credentials.expired',
      fix: /^Renew them/,
      diagnose: () => during(faults.revokeKeys({ accessKeyId }), () => look('credentials')),
    },
    {
      name: 'a wrong secret key',
      id: 'credentials.refused',
      fix: /^Check the key pair: .*aws iam create-access-key/,
      diagnose: () => chain(keys(accessKeyId, 'of-another-account')),
    },
    ...[
      'DescribeSignalingChannel',
      'GetSignalingChannelEndpoint',
      'GetIceServerConfig',
      'ConnectAsViewer',
    ].map((action) => denied('permissions.denied', action, 'channel/door/*')),
    ...['DescribeStream', 'GetDataEndpoint', 'PutMedia', 'CreateStream'].map((action) =>
      denied('permissions.denied', action, 'stream/door/*'),
    ),
    denied('permissions.denied-storage', 'DescribeMediaStorageConfiguration', 'channel/door/*'),
    denied('permissions.denied-archive', 'ListFragments', 'stream/door/*'),
    {
      name: 'a service that fails',
      id: 'permissions.failed',
      fix: /AWS Health Dashboard and the quotas of us-east-1$/,
      diagnose: () =>
        failing({ operation: 'DescribeStream', status: 400, type: 'Odd' }, 'permissions'),
    },
    {
      name: 'a channel that does not exist',
      id: 'channel.missing',
      fix: /aws kinesisvideo create-signaling-channel --channel-name dor --region us-east-1$/,
      diagnose: () => look('channel', { channel: 'dor' }),
    },
    {
      name: 'a channel that AWS records',
      id: 'channel.storage',
      fix: /^aws kinesisvideo update-media-storage-configuration --channel-arn arn:\S+:channel\/recorded\/\d+ --media-storage-configuration Status=DISABLED$/,
      diagnose: () => look('channel', { channel: doctorNames.recordedChannel }),
    },
    {
      name: 'a channel with ten viewers',
      id: 'channel.full',
      fix: /^Let other viewers leave/,
      diagnose: () =>
        failing(
          { operation: 'ConnectAsViewer', status: 400, type: 'ClientLimitExceededException' },
          'channel',
        ),
    },
    {
      name: 'a stream that does not exist',
      id: 'stream.missing',
      fix: /--create-stream --retention-hours 24$/,
      diagnose: () => look('stream', { stream: 'dor' }),
    },
    {
      name: 'a stream that keeps nothing',
      id: 'stream.no-retention',
      fix: /^aws kinesisvideo update-data-retention --stream-name forgetful --operation INCREASE_DATA_RETENTION --data-retention-change-in-hours 24 --current-version \w+$/,
      diagnose: () => look('stream', { stream: doctorNames.forgetfulStream }),
    },
    {
      name: 'a stream that no player plays',
      id: 'stream.media-type',
      fix: /^aws kinesisvideo update-stream --stream-name untyped --media-type video\/h264,audio\/aac --current-version \w+$/,
      diagnose: () => look('stream', { stream: doctorNames.untypedStream }),
    },
    {
      name: 'a stream that somebody else sends to',
      id: 'stream.in-use',
      fix: /^Stop the other producer/,
      diagnose: () =>
        failing(
          { operation: 'PutMedia', status: 400, type: 'ConnectionLimitExceededException' },
          'stream',
        ),
    },
  ];

  function denied(id: string, action: string, resource: string): BrokenSetUp {
    return {
      name: `no permission for ${action}`,
      id,
      fix: `Allow kinesisvideo:${action} on arn:aws:kinesisvideo:us-east-1:*:${resource} in the IAM policy`,
      diagnose: () =>
        failing({ operation: action, status: 403, type: 'AccessDeniedException' }, 'permissions', {
          createStream: true,
        }),
    };
  }
}

const ssoConfig = `[default]
credential_process = sleep 1
[profile work]
sso_session = company
sso_account_id = 123456789012
sso_role_name = recorder
[sso-session company]
sso_region = eu-west-1
sso_start_url = https://company.invalid/start
`;
