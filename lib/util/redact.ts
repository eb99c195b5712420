/**
 * The only route by which outside text reaches a log or an error. Removes what would let a reader
 * act as us: signatures, session tokens, access keys, TURN passwords, DTLS and ICE secrets.
 */

const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Presigned URLs: every query parameter that authenticates.
  [
    /([?&](?:X-Amz-(?:Signature|Security-Token|Credential)|SessionToken)=)[^&\s"'#]+/gi,
    '$1[redacted]',
  ],
  // Authorization and token headers.
  [/(authorization["']?\s*[:=]\s*["']?)AWS4-HMAC-SHA256[^\r\n"']*/gi, '$1[redacted]'],
  [/(x-amz-security-token["']?\s*[:=]\s*["']?)[^\s"',;]+/gi, '$1[redacted]'],
  // Key ids are not secret by themselves, but they do name an identity.
  [/\b(AKIA|ASIA)[A-Z0-9]{12,124}\b/g, '$1[redacted]'],
  // JSON members and assignments that hold secrets.
  [
    /(["']?(?:secret_?access_?key|session_?token|aws_secret_access_key|aws_session_token|password|credential)["']?\s*[:=]\s*["']?)[^\s"',;}&]+/gi,
    '$1[redacted]',
  ],
  // turn:user:password@host and any other URL with user information.
  [/(\b(?:turns?|stuns?|https?|wss?):(?:\/\/)?)[^\s/@"']+@/gi, '$1[redacted]@'],
  // SDP secrets.
  [/(a=ice-pwd:)\S+/g, '$1[redacted]'],
  [/(a=crypto:)[^\r\n]+/g, '$1[redacted]'],
];

/** Returns `text` with every secret that kvs-bridge handles replaced by `[redacted]`. */
export function redact(text: string): string {
  let result = text;
  for (const [pattern, replacement] of rules) result = result.replace(pattern, replacement);
  return result;
}
