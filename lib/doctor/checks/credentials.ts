/** Credentials: where they come from, and whether the service takes them. Never what they are. */
import type { AwsCredentials } from '../../aws/credentials.js';
import { ErrorCode } from '../../util/errors.js';
import type { KvsBridgeError } from '../../util/errors.js';
import { finding } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { reasonOf } from '../probes/attempt.js';
import { profileOf, untilText } from '../probes/credentials-origin.js';
import type { FoundCredentials } from '../probes/credentials-origin.js';
import { isRegionRefused, verdictOnCredentials } from '../probes/verdict.js';
import type { CredentialsVerdict } from '../probes/verdict.js';
import type { DoctorFinding } from '../report.js';

type Env = Readonly<Record<string, string | undefined>>;

const roleVariables = [
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
] as const;

export const credentialsCheck: Check = {
  topic: 'credentials',
  run: async ({ options, machine: { env }, aws }) => {
    if (options.credentials === undefined) {
      const wrong = wrongVariables(env);
      if (wrong !== undefined) return [wrong];
    }
    const found = await aws.credentials();
    if (found.kind === 'failed') return [loadFailure(found.error, env)];
    if (found.kind === 'untried') return [];
    return judged(found.value, await verdictOnCredentials(aws));
  },
};

/** What is wrong with the variables that hold keys. Pure. */
function wrongVariables(env: Env): DoctorFinding | undefined {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = env;
  // The SDK passes over half a pair without a word, and over all of it where a profile is named.
  if ((env['AWS_PROFILE'] ?? '') !== '') return undefined;
  if ((id === '') !== (secret === '')) {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
    const [present, absent] = id === '' ? ([names[1], names[0]] as const) : names;
    return finding('credentials.half', { present, absent });
  }
  if (id === '') return undefined;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const) {
    const value = env[name] ?? '';
    const what = /["']/.test(value)
      ? 'quotation marks'
      : /\s/.test(value)
        ? 'spaces or line ends'
        : /[^\x21-\x7e]/.test(value)
          ? 'characters that no key has'
          : undefined;
    if (what !== undefined) return finding('credentials.malformed', { variable: name, what });
  }
  return undefined;
}

function loadFailure(error: KvsBridgeError, env: Env): DoctorFinding {
  const reason = error.message.replace(/^.*could not be loaded: /, '');
  const variable = roleVariables.find((name) => (env[name] ?? '') !== '');
  const profile = profileOf(env);
  if (/\bsso\b/i.test(error.message)) return finding('credentials.sso', { profile, reason });
  if ((env['AWS_PROFILE'] ?? '') !== '') return finding('credentials.profile', { profile, reason });
  if (variable !== undefined) return finding('credentials.role', { variable, reason });
  return error.code === ErrorCode.credentials
    ? finding('credentials.none', {})
    : finding('credentials.failed', { reason });
}

function judged(
  { credentials, origin }: FoundCredentials,
  verdict: CredentialsVerdict,
): readonly DoctorFinding[] {
  if (lacksToken(credentials)) return [finding('credentials.no-token', { origin: origin.text })];
  if (verdict.kind === 'refused' && !isRegionRefused(verdict.error)) {
    const reason = reasonOf(verdict.error);
    const id = /expired/i.test(reason) ? 'credentials.expired' : 'credentials.refused';
    return [finding(id, { origin: origin.text, reason })];
  }
  const accepted =
    verdict.kind === 'accepted'
      ? 'the service accepts them'
      : `not tried: ${verdict.kind === 'untried' ? verdict.reason : 'the region is refused'}`;
  const ok = finding('credentials.ok', {
    origin: origin.text,
    until: untilText(credentials),
    accepted,
  });
  const { sessionToken, expiration } = credentials;
  const isEnding = origin.isFixed && sessionToken !== undefined && expiration === undefined;
  return isEnding ? [ok, finding('credentials.temporary', { origin: origin.text })] : [ok];
}

/** Keys of AWS STS begin with ASIA (IAM user guide, "IAM identifiers"). */
function lacksToken({ accessKeyId, sessionToken }: AwsCredentials): boolean {
  return accessKeyId.startsWith('ASIA') && sessionToken === undefined;
}
