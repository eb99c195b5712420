/**
 * AWS Signature Version 4, as Kinesis Video Streams wants it: the service name is `kinesisvideo` for
 * every KVS endpoint, and neither PutMedia nor a WebSocket upgrade hashes a body: both sign the
 * SHA-256 of the empty string (AWS API reference, PutMedia; producer SDK 3.6.0, AwsV4Signer.c;
 * WebRTC JS SDK 2.9.0, SigV4RequestSigner).
 */
import type { SignatureV4 } from '@smithy/signature-v4';
import { awsClock } from './clock.js';
import type { AwsCredentials } from './credentials.js';

/** What every signature needs to know. */
interface SigningScope {
  /** AWS region, for example `eu-central-1`. */
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** SigV4 service name. @defaultValue 'kinesisvideo' */
  readonly service?: string;
  /** Time of the signature. @defaultValue now, by AWS's clock */
  readonly now?: Date;
}

/** A request to be signed by {@link signRequest}. */
export interface SignRequestOptions extends SigningScope {
  /** HTTP method in capitals. */
  readonly method: string;
  /** Full URL; its host, with a non-default port, becomes the signed `host` header. */
  readonly url: URL;
  /** Headers to send. All but hop-by-hop headers and `user-agent` are signed. */
  readonly headers: Record<string, string>;
  /** What is sent as a whole, and so is part of the signature. @defaultValue nothing */
  readonly body?: string;
}

/** A URL to be signed by {@link presignUrl}. */
export interface PresignUrlOptions extends SigningScope {
  /** URL to sign, its own query parameters included. */
  readonly url: URL;
  /** How long the URL may be used, 1 to 604,800 s. */
  readonly expiresInSeconds: number;
}

/**
 * Signs a request. A body that is streamed is not part of the signature (PutMedia); one that is
 * given here is.
 *
 * There is no `x-amz-content-sha256` header, as in AWS's own producer: with it a service could take
 * the empty hash for a promise about the body.
 *
 * @returns all headers to send: the given ones, `host`, `x-amz-date`, `authorization` and, for
 * temporary credentials, `x-amz-security-token`; names in lower case
 */
export async function signRequest(options: SignRequestOptions): Promise<Record<string, string>> {
  const { method, url, body, now = new Date(awsClock.now()) } = options;
  const signer = await createSigner(options);
  const headers: Record<string, string> = { host: url.host };
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = value;
  const signed = await signer.sign(
    { method, ...partsOf(url), headers, ...(body === undefined ? {} : { body }) },
    { signingDate: now },
  );
  return signed.headers;
}

/**
 * Signs a `GET` of a URL in its query string. The result lets anyone act until it expires: it must
 * never reach a log or an error.
 */
export async function presignUrl(options: PresignUrlOptions): Promise<URL> {
  const { url, expiresInSeconds, now = new Date(awsClock.now()) } = options;
  const signer = await createSigner(options);
  const presigned = await signer.presign(
    { method: 'GET', ...partsOf(url), headers: { host: url.host } },
    { expiresIn: expiresInSeconds, signingDate: now },
  );
  const result = new URL(url);
  result.search = toQueryString(presigned.query ?? {});
  return result;
}

async function createSigner({
  region,
  credentials,
  service = 'kinesisvideo',
}: SigningScope): Promise<SignatureV4> {
  // Loaded on first use: a process that only shows --help never pays for it.
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  return new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });
}

function partsOf(url: URL): {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query: Record<string, string | string[]>;
} {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    const [first = ''] = values;
    query[name] = values.length === 1 ? first : values;
  }
  return {
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query,
  };
}

/** RFC 3986 encoding, which is what the signature covers; URLSearchParams would write `+`. */
function toQueryString(query: Record<string, string | readonly string[] | null>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    for (const item of typeof value === 'string' ? [value] : (value ?? [])) {
      pairs.push(`${encodeRfc3986(name)}=${encodeRfc3986(item)}`);
    }
  }
  return pairs.join('&');
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
