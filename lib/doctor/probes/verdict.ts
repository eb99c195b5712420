/** Whether the service takes the credentials, by whatever was asked of it with them. */
import { ErrorCode } from '../../util/errors.js';
import type { KvsBridgeError } from '../../util/errors.js';
import type { AwsProbes } from './aws.js';

/** What the service thinks of the credentials. */
export type CredentialsVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: KvsBridgeError }
  | { readonly kind: 'untried'; readonly reason: string };

/** Whoever is told that something is missing, or not allowed, is known. */
const knownCodes: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.accessDenied,
  ErrorCode.channelNotFound,
  ErrorCode.streamNotFound,
]);

/** Judged by the two requests that come first. */
export async function verdictOnCredentials(aws: AwsProbes): Promise<CredentialsVerdict> {
  const attempts = await Promise.all([aws.describeChannel(), aws.describeStream()]);
  let reason = 'no channel and no stream is given';
  for (const attempt of attempts) {
    if (attempt.kind === 'done') return { kind: 'accepted' };
    if (attempt.kind === 'untried') {
      reason = attempt.reason;
      continue;
    }
    const { error } = attempt;
    if (knownCodes.has(error.code)) return { kind: 'accepted' };
    if (error.code === ErrorCode.credentials) return { kind: 'refused', error };
    reason = 'the requests failed';
  }
  return { kind: 'untried', reason };
}

/** Whether it was the region of the signature that was refused, and not who signed. */
export function isRegionRefused({ message }: KvsBridgeError): boolean {
  return /scoped to (?:a valid )?region/i.test(message);
}
