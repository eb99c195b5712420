/** Checks AWS Signature Version 4, in the Authorization header and in presigned URLs. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LocalCredentials } from '../options.js';
import { canonicalRequest, headerValue, sha256Hex, splitUrl } from './canonical-request.js';
import type { WireRequest } from './canonical-request.js';
import { ServiceError } from './service-error.js';

/** Options of {@link SignatureVerifier}. */
export interface SignatureVerifierOptions {
  readonly credentials: readonly LocalCredentials[];
  readonly region: string;
  /** Allowed difference between the clocks, in ms. */
  readonly maxClockSkewMs: number;
  /** When false, every call passes. */
  readonly isEnabled: boolean;
  /** Whether keys are to be refused although they are known. @defaultValue none is */
  readonly isRevoked?: (accessKeyId: string) => boolean;
  /** The time to check against. @defaultValue the machine's */
  readonly now?: () => Date;
}

/** What a request says about its signature. */
interface Claim {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20230101T000000Z` */
  readonly date: string;
  readonly token: string | undefined;
  /** Seconds a presigned URL holds; undefined for the header form. */
  readonly expiresInSeconds: number | undefined;
}

const algorithm = 'AWS4-HMAC-SHA256';
const service = 'kinesisvideo';
const maxExpiresInSeconds = 604_800;
const hashPattern = /^[\da-f]{64}$/;

export class SignatureVerifier {
  readonly #options: SignatureVerifierOptions;

  constructor(options: SignatureVerifierOptions) {
    this.#options = options;
  }

  /**
   * @param body - undefined when the body streams: its hash is then that of nothing
   * @throws {@link ServiceError} 403, the call is not signed by someone we know
   */
  verify(request: WireRequest, body: Buffer | undefined, now = this.#now()): void {
    if (!this.#options.isEnabled) return;
    const claim = readClaim(request);
    this.#checkScope(claim);
    const secret = this.#secretOf(claim);
    const payloadHash = signedPayloadHash(request, claim, body);
    const canonical = canonicalRequest(request, claim.signedHeaders, payloadHash);
    const text = [algorithm, claim.date, claim.scope, sha256Hex(canonical)].join('\n');
    const expected = sign(signingKey(secret, claim.scope), text);
    const given = Buffer.from(claim.signature, 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw refused(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. ' +
          'Check your AWS Secret Access Key and signing method.',
      );
    }
    this.#checkTime(claim, now);
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }

  #checkScope({ scope, date }: Claim): void {
    const [day, region, name, terminator] = scope.split('/');
    if (terminator !== 'aws4_request' || name !== service || day !== date.slice(0, 8)) {
      throw refused(
        'InvalidSignatureException',
        `Credential should be scoped to the date of the request, to service "${service}" and to "aws4_request".`,
      );
    }
    if (region !== this.#options.region) {
      throw refused(
        'InvalidSignatureException',
        `Credential should be scoped to region "${this.#options.region}", not "${region ?? ''}".`,
      );
    }
  }

  #secretOf({ accessKeyId, token }: Claim): string {
    const known = this.#options.credentials.find((pair) => pair.accessKeyId === accessKeyId);
    if (known === undefined || known.sessionToken !== token) {
      throw refused(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    }
    if (this.#options.isRevoked?.(accessKeyId) === true) {
      throw refused(
        'ExpiredTokenException',
        'The security token included in the request is expired.',
      );
    }
    return known.secretAccessKey;
  }

  /** In words that the WebRTC C SDK looks for, to correct its clock by our Date header. */
  #checkTime({ date, expiresInSeconds }: Claim, now: Date): void {
    const signedAtMs = parseDate(date);
    const skewMs = this.#options.maxClockSkewMs;
    const validForMs = expiresInSeconds === undefined ? skewMs : expiresInSeconds * 1000;
    const nowText = formatDate(now);
    if (now.getTime() > signedAtMs + validForMs) {
      throw refused(
        'InvalidSignatureException',
        `Signature expired: ${date}, it is now ${nowText}`,
      );
    }
    if (signedAtMs > now.getTime() + skewMs) {
      throw refused(
        'InvalidSignatureException',
        `Signature not yet current: ${date} is later than ${nowText}`,
      );
    }
  }
}

function refused(type: string, message: string): ServiceError {
  return new ServiceError(type, 403, message);
}

function incomplete(what: string): ServiceError {
  return refused('IncompleteSignatureException', `The signature of the request lacks ${what}.`);
}

function readClaim(request: WireRequest): Claim {
  const authorization = headerValue(request.rawHeaders, 'authorization');
  if (authorization !== undefined) return readHeaderClaim(request, authorization);
  const { query } = splitUrl(request.url);
  if (query.some(([name]) => name === 'X-Amz-Algorithm')) return readQueryClaim(new Map(query));
  throw refused('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

function readHeaderClaim({ rawHeaders }: WireRequest, authorization: string): Claim {
  const [scheme = '', ...rest] = authorization.split(' ');
  if (scheme !== algorithm) throw incomplete(`the algorithm ${algorithm}`);
  const fields = new Map<string, string>();
  for (const field of rest.join('').split(',')) {
    const equals = field.indexOf('=');
    fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  return {
    ...splitCredential(fields.get('Credential')),
    signedHeaders: splitHeaders(fields.get('SignedHeaders')),
    signature: fields.get('Signature') ?? '',
    date: checkedDate(headerValue(rawHeaders, 'x-amz-date')),
    token: headerValue(rawHeaders, 'x-amz-security-token'),
    expiresInSeconds: undefined,
  };
}

function readQueryClaim(query: ReadonlyMap<string, string>): Claim {
  if (query.get('X-Amz-Algorithm') !== algorithm) throw incomplete(`the algorithm ${algorithm}`);
  const expires = query.get('X-Amz-Expires') ?? '';
  const expiresInSeconds = Number(expires);
  if (!/^\d+$/.test(expires) || expiresInSeconds < 1 || expiresInSeconds > maxExpiresInSeconds) {
    throw incomplete(`an X-Amz-Expires from 1 to ${maxExpiresInSeconds}`);
  }
  return {
    ...splitCredential(query.get('X-Amz-Credential')),
    signedHeaders: splitHeaders(query.get('X-Amz-SignedHeaders')),
    signature: query.get('X-Amz-Signature') ?? '',
    date: checkedDate(query.get('X-Amz-Date')),
    token: query.get('X-Amz-Security-Token'),
    expiresInSeconds,
  };
}

function splitCredential(credential = ''): { accessKeyId: string; scope: string } {
  const slash = credential.indexOf('/');
  if (slash < 1) throw incomplete('a Credential');
  return { accessKeyId: credential.slice(0, slash), scope: credential.slice(slash + 1) };
}

function splitHeaders(text = ''): string[] {
  const headers = text.split(';');
  if (!headers.includes('host')) throw incomplete('the signed header "host"');
  return headers;
}

function checkedDate(text = ''): string {
  if (!/^\d{8}T\d{6}Z$/.test(text) || Number.isNaN(parseDate(text))) {
    throw incomplete('a date (X-Amz-Date)');
  }
  return text;
}

/**
 * The hash that the caller put into the signature. The header x-amz-content-sha256 counts only
 * when it is signed itself: AWS's Java SDK adds it afterwards. boto and the C SDKs send none.
 */
function signedPayloadHash(
  { rawHeaders }: WireRequest,
  { signedHeaders }: Claim,
  body: Buffer | undefined,
): string {
  const actual = sha256Hex(body ?? '');
  const header = headerValue(rawHeaders, 'x-amz-content-sha256');
  if (header === undefined || !signedHeaders.includes('x-amz-content-sha256')) return actual;
  if (body !== undefined && hashPattern.test(header) && header !== actual) {
    throw refused(
      'InvalidSignatureException',
      'The x-amz-content-sha256 of the request does not match its body.',
    );
  }
  return header;
}

function signingKey(secret: string, scope: string): Buffer {
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split('/')) key = sign(key, part);
  return key;
}

function sign(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function parseDate(text: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(iso);
}

function formatDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
