/**
 * The secrets that this process holds, by their values: what no pattern finds in a text, such as a
 * key in the middle of a sentence, these do.
 */

/** Shorter ones would be found in words that are none, and are no secrets worth the name. */
const minLength = 8;

/** Keys, tokens and TURN passwords of the last few sessions; the oldest are forgotten. */
const maxSecrets = 128;

/** Public by definition: the key pair of the local KVS. */
const publicValues: ReadonlySet<string> = new Set(['local-secret-access-key']);

const known = new Set<string>();

/** Remembers secrets, so that they are found in whatever text they appear in. */
export function rememberSecrets(...secrets: readonly (string | undefined)[]): void {
  for (const secret of secrets) {
    if (secret === undefined || secret.length < minLength || publicValues.has(secret)) continue;
    for (const form of new Set([secret, encodeURIComponent(secret)])) {
      // Again the newest.
      known.delete(form);
      known.add(form);
    }
  }
  while (known.size > maxSecrets) {
    const [oldest] = known;
    if (oldest !== undefined) known.delete(oldest);
  }
}

/** Remembers what of a key pair is secret. */
export function hideCredentials({
  secretAccessKey,
  sessionToken,
}: {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}): void {
  rememberSecrets(secretAccessKey, sessionToken);
}

/** Remembers the ICE passwords of an SDP: logs of others print them in ways that no pattern knows. */
export function hideIcePasswords(sdp: string): void {
  for (const [, password] of sdp.matchAll(/^a=ice-pwd:(\S+)/gm)) rememberSecrets(password);
}

/** `text` with each secret that is known replaced. */
export function withoutSecrets(text: string, replacement: string): string {
  let result = text;
  for (const secret of known) {
    if (result.includes(secret)) result = result.replaceAll(secret, () => replacement);
  }
  return result;
}
