/** Where credentials came from, in words. Never what they are. */
import { awsClock } from '../../aws/clock.js';
import type { AwsCredentials } from '../../aws/credentials.js';

/** A source of credentials. */
export interface CredentialsOrigin {
  /** Such as `the profile default`. */
  readonly text: string;
  /** Nobody renews what it gives. */
  readonly isFixed: boolean;
}

/** Credentials and their origin. */
export interface FoundCredentials {
  readonly credentials: AwsCredentials;
  readonly origin: CredentialsOrigin;
}

type Env = Readonly<Record<string, string | undefined>>;

/** By the SDK's name of a feature, the most telling ones first. */
const origins: readonly (readonly [feature: string, text: (env: Env) => string])[] = [
  ['CREDENTIALS_PROFILE_SSO', (env) => `SSO (${profileText(env)})`],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', (env) => `SSO (${profileText(env)})`],
  ['CREDENTIALS_PROFILE_PROCESS', (env) => `the credential_process of ${profileText(env)}`],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', (env) => `the web identity of ${profileText(env)}`],
  ['CREDENTIALS_PROFILE_LOGIN', (env) => `\`aws login\` (${profileText(env)})`],
  ['CREDENTIALS_STS_ASSUME_ROLE', (env) => `the role of ${profileText(env)}`],
  ['CREDENTIALS_PROFILE_NAMED_PROVIDER', (env) => `the credential_source of ${profileText(env)}`],
  ['CREDENTIALS_PROFILE', profileText],
  [
    'CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN',
    () => 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE, EKS)',
  ],
  ['CREDENTIALS_HTTP', () => 'the role of the container (ECS task or EKS pod)'],
  ['CREDENTIALS_ENV_VARS', () => 'the environment (AWS_ACCESS_KEY_ID)'],
];

const fixedFeatures = new Set(['CREDENTIALS_PROFILE', 'CREDENTIALS_ENV_VARS']);

/** What the SDK's features of loaded credentials say; without any it was the instance's role. */
export function originOf(features: readonly string[], env: Env): CredentialsOrigin {
  const known = origins.find(([feature]) => features.includes(feature));
  if (known === undefined) return { text: 'the role of the EC2 instance', isFixed: false };
  const [feature, text] = known;
  return { text: text(env), isFixed: fixedFeatures.has(feature) };
}

/** The profile in use, by name. */
export function profileOf(env: Env): string {
  return env['AWS_PROFILE'] ?? 'default';
}

function profileText(env: Env): string {
  return `the profile ${profileOf(env)}`;
}

/** Until when credentials work, as the end of a sentence; nothing when nobody knows. */
export function untilText({ expiration }: AwsCredentials): string {
  if (expiration === undefined) return '';
  const minutes = Math.round((expiration.getTime() - awsClock.now()) / 60_000);
  return `, good for ${minutes} min, then renewed`;
}
