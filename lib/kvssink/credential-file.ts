/** The file from which kvssink takes its credentials: the only way to give it ones that change. */
import { renameSync, writeFileSync } from 'node:fs';
import type { AwsCredentials } from '../aws/credentials.js';
import { AwsError, ErrorCode } from '../util/errors.js';

/** The element reads each word into a buffer of this size and cuts off the rest without a word. */
const longestWord = { accessKeyId: 128, secretAccessKey: 128, sessionToken: 2_048 } as const;

/** Tokens whose end nobody told; the file is written anew long before. */
const unknownLifetimeMs = 3_600_000;

/** The element refuses a token that ends sooner (`MIN_STREAMING_TOKEN_EXPIRATION_DURATION`). */
const leastRemainingMs = 30_000;

/**
 * The line of `FileCredentialProvider.c` (producer-c): words separated by white space.
 *
 * @param nowMs - Unix epoch ms
 * @throws {@link AwsError} with code `KVSB_CREDENTIALS` when the element could not use them
 */
export function credentialLine(credentials: AwsCredentials, nowMs: number): string {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials;
  checkWord('accessKeyId', accessKeyId);
  checkWord('secretAccessKey', secretAccessKey);
  if (sessionToken === undefined) return `CREDENTIALS ${accessKeyId} ${secretAccessKey}\n`;
  checkWord('sessionToken', sessionToken);
  const endsAtMs = expiration?.getTime() ?? nowMs + unknownLifetimeMs;
  if (endsAtMs - nowMs < leastRemainingMs) {
    throw refusal('they end within 30 s', 'Renew them.');
  }
  // Exactly 20 characters: whole seconds, UTC.
  const endsAt = new Date(endsAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return `CREDENTIALS ${accessKeyId} ${endsAt} ${secretAccessKey} ${sessionToken}\n`;
}

/**
 * Replaces the file in one step, so that the element never reads half of it. Readable for the owner
 * only; its folder must be private as well.
 *
 * @throws {@link AwsError} when the element could not use them; the old file stays
 */
export function writeCredentialFile(
  path: string,
  credentials: AwsCredentials,
  nowMs = Date.now(),
): void {
  const line = credentialLine(credentials, nowMs);
  const next = `${path}.next`;
  writeFileSync(next, line, { mode: 0o600 });
  renameSync(next, path);
}

function checkWord(name: keyof typeof longestWord, word: string): void {
  const limit = longestWord[name];
  if (word.length > limit) {
    throw refusal(
      `its ${name} has ${String(word.length)} characters, kvssink reads ${String(limit)}`,
      'Use --sink putmedia, or credentials with a shorter session token (fewer session policies and tags).',
    );
  }
  if (word === '' || /\s/.test(word)) {
    throw refusal(`its ${name} is empty or has white space in it`, 'Correct the credentials.');
  }
}

function refusal(reason: string, fix: string): AwsError {
  return new AwsError(ErrorCode.credentials, `kvssink cannot use these credentials: ${reason}`, {
    fix,
  });
}
