/**
 * The only route by which outside text reaches a log or an error. Removes what would let a reader
 * act as us: signatures, session tokens, access keys, TURN passwords, DTLS and ICE secrets. By form,
 * and by value where the value went through this process.
 */
import { withoutSecrets } from './secrets.js';

const replaced = '[redacted]';

const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Presigned URLs: every query parameter that authenticates.
  [
    /([?&](?:X-Amz-(?:Signature|Security-Token|Credential)|SessionToken)=)[^&\s"'#]+/gi,
    `$1${replaced}`,
  ],
  // Authorization and token headers, whatever the scheme.
  [
    /((?:proxy-)?authorization(?:_token)?["']?\s*[:=]\s*["']?)(?:(?:AWS4-HMAC-SHA256|Basic|Bearer|Digest|Negotiate)\s+[^\r\n"']*|[^\s"',;}]+)/gi,
    `$1${replaced}`,
  ],
  [/(x-amz-security-token["']?\s*[:=]\s*["']?)[^\s"',;]+/gi, `$1${replaced}`],
  // JSON web tokens: those of web identities among them.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g, replaced],
  // Key ids are not secret by themselves, but they do name an identity.
  [/\b(AKIA|ASIA)[A-Z0-9]{12,124}\b/g, `$1${replaced}`],
  // JSON members, assignments and flags that hold secrets.
  [
    /(["']?(?:secret[_-]?access[_-]?key|session[_-]?token|password|passwd|passphrase|credential)["']?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"',;}&]+/gi,
    `$1${replaced}`,
  ],
  // turn:user:password@host and any other URL with user information.
  [/(\b(?:turns?|stuns?|https?|wss?|socks\w*):(?:\/\/)?)[^\s/@"']+@/gi, `$1${replaced}@`],
  // SDP secrets, in SDP and as GStreamer prints them.
  [/(a=ice-pwd:)\S+/g, `$1${replaced}`],
  [/(a=crypto:)[^\r\n]+/g, `$1${replaced}`],
  [
    /(\b(?:ice-pwd|srtc?p-key)\s*=\s*(?:\((?:string|buffer|GstBuffer)\)\s*)?"?)[^\s",;]+/g,
    `$1${replaced}`,
  ],
];

/** Returns `text` with every secret that kvs-bridge handles replaced by `[redacted]`. */
export function redact(text: string): string {
  let result = withoutSecrets(text, replaced);
  for (const [pattern, replacement] of rules) result = result.replace(pattern, replacement);
  return result;
}

/** A copy of plain data with every text redacted; an Error becomes its code and message. */
export function redactFields(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Error) {
    const code = 'code' in value ? { code: redactFields(value.code) } : {};
    return { ...code, message: redact(value.message) };
  }
  if (Array.isArray(value)) return value.map(redactFields);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, redactFields(member)]),
  );
}

/**
 * A copy of an error that may be kept as a cause and printed with all it has: message, stack and
 * code, redacted, and its own causes. What else hangs on it, such as a request with its headers, is
 * left behind.
 */
export function redactError(error: unknown, depth = 4): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error) : undefined;
  const cause = depth === 0 ? undefined : redactError(error.cause, depth - 1);
  const copy = new Error(redact(error.message), cause === undefined ? undefined : { cause });
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = redact(error.stack);
  if ('code' in error && typeof error.code === 'string') {
    Object.assign(copy, { code: redact(error.code) });
  }
  return copy;
}
