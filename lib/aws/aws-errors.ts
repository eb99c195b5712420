/** What an AWS refusal means, and what to do about it. The one place that knows AWS error names. */
import * as v from 'valibot';
import { AwsError, ErrorCode, KvsBridgeError } from '../util/errors.js';
import { redact } from '../util/redact.js';

/** The kinds of failure that callers treat differently. */
export type AwsFailureKind =
  | 'accessDenied'
  | 'clockSkew'
  | 'credentials'
  | 'exists'
  | 'network'
  | 'notFound'
  | 'other'
  | 'serverFault'
  | 'throttled';

/** A failed AWS call, reduced to what matters. Holds no secrets. */
export interface AwsFailure {
  readonly kind: AwsFailureKind;
  /** AWS's exception name or Node's error code. */
  readonly name: string;
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  /** AWS's own words, redacted and shortened. */
  readonly message: string;
}

/** What was being done when it failed. */
export interface AwsCall {
  /** API action without the service, as IAM names it, for example `DescribeStream`. */
  readonly action: string;
  readonly region: string;
  /** Host that was called. */
  readonly host: string;
  /** The channel or stream it was about. */
  readonly resource?: { readonly type: 'channel' | 'stream'; readonly name: string };
}

const kindByName = new Map<string, AwsFailureKind>([
  ...names('notFound', ['ResourceNotFoundException']),
  ...names('exists', ['ResourceInUseException']),
  ...names('accessDenied', ['AccessDenied', 'AccessDeniedException', 'NotAuthorizedException']),
  ...names('clockSkew', [
    'RequestExpired',
    'RequestInTheFuture',
    'RequestTimeTooSkewed',
    'RequestTimeTooSkewedException',
  ]),
  ...names('credentials', [
    'AuthFailure',
    'ExpiredToken',
    'ExpiredTokenException',
    'IncompleteSignature',
    'IncompleteSignatureException',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'SignatureDoesNotMatch',
    'UnrecognizedClientException',
  ]),
  // ClientLimitExceededException is what KVS answers over its call rate; the SDK never retries it.
  ...names('throttled', [
    'ClientLimitExceededException',
    'LimitExceededException',
    'SlowDown',
    'Throttling',
    'ThrottlingException',
    'TooManyRequestsException',
  ]),
  ...names('network', ['TimeoutError']),
]);

/** The words AWS uses for a signature whose time is off (WebRTC SDK for C looks for the same). */
const clockSkewPattern = /signature (?:has )?expired|signature not yet current/i;
/** Node's codes for failed look-ups, connections and certificates; not its ERR_ for wrong calls. */
const networkCodePattern = /^(?!ERR_(?!TLS|SSL))[A-Z][A-Z0-9_]+$/;
/** OpenSSL's and Node's names for a certificate that is not trusted; no retry changes that. */
const certificatePattern = /CERT|SIGNATURE|ISSUER|CRL|CA_|ALTNAME/;
const messageMaxLength = 300;
/** What the SDK leaves on its errors; the answer is hidden from enumeration. */
const answeredErrorSchema = v.object({
  $response: v.object({ headers: v.object({ date: v.string() }) }),
});

/** Classifies an answer by what the service said. */
export function failureOfAnswer(answer: {
  /** AWS's exception name, as far as it is known. */
  readonly name?: string | undefined;
  readonly status?: number | undefined;
  readonly message?: string | undefined;
}): AwsFailure {
  const { status, name = 'UnknownError', message = '' } = answer;
  return {
    kind: kindOfAnswer(name, status, message),
    name,
    message: shorten(message),
    ...(status === undefined ? {} : { status }),
  };
}

function kindOfAnswer(name: string, status: number | undefined, message: string): AwsFailureKind {
  if (clockSkewPattern.test(message)) return 'clockSkew';
  const known = kindByName.get(name);
  if (known !== undefined) return known;
  if (status === 429) return 'throttled';
  if (status !== undefined && status >= 500) return 'serverFault';
  return 'other';
}

/** Classifies whatever an AWS SDK call or a Node socket rejected with. */
export function failureOfError(error: unknown): AwsFailure {
  if (!(error instanceof Error)) return failureOfAnswer({ message: String(error) });
  const status = statusOf(error);
  if (status === undefined) {
    const network = networkFailureOf(error);
    if (network !== undefined) return network;
  }
  // The SDK reports an answer that is not JSON, as proxies send it, as a SyntaxError.
  const isNotJson = error.name === 'SyntaxError';
  return failureOfAnswer({
    name: isNotJson ? 'NotAnAwsAnswer' : error.name,
    status,
    message: isNotJson ? 'the answer was not JSON' : error.message,
  });
}

function networkFailureOf(error: Error): AwsFailure | undefined {
  // A host with several addresses fails as an AggregateError without a message of its own.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const source = inner instanceof Error ? inner : error;
  const code = 'code' in source && typeof source.code === 'string' ? source.code : undefined;
  if (code === undefined || !networkCodePattern.test(code)) return undefined;
  return { kind: 'network', name: code, message: shorten(source.message) };
}

function statusOf(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (!('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** The Date header of the answer behind an error of the AWS SDK. */
export function dateOfError(error: unknown): string | undefined {
  const parsed = v.safeParse(answeredErrorSchema, error);
  return parsed.success ? parsed.output.$response.headers.date : undefined;
}

/** Whether the same call may well succeed in a moment. */
export function isTransient({ kind, name }: AwsFailure): boolean {
  return (
    (kind === 'network' && !certificatePattern.test(name)) ||
    kind === 'serverFault' ||
    kind === 'throttled'
  );
}

/**
 * The error to show for a failure.
 *
 * The SDK's own error is not kept as `cause`: its text may quote the canonical request, session
 * token included.
 */
export function toAwsError(error: unknown, call: AwsCall): KvsBridgeError {
  if (error instanceof KvsBridgeError) return error;
  return awsErrorOf(failureOfError(error), call);
}

/** The error to show for an already classified failure. */
export function awsErrorOf(failure: AwsFailure, call: AwsCall): AwsError {
  const { action, region, host } = call;
  const said = [failure.name, failure.message].filter((part) => part !== '').join(': ');
  switch (failure.kind) {
    case 'notFound':
      return notFoundError(call, said);
    case 'credentials':
      return new AwsError(ErrorCode.credentials, `AWS does not accept the credentials (${said})`, {
        fix:
          'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile ' +
          'or role in use; renew them when they are temporary (`aws sso login`).',
      });
    case 'clockSkew':
      return new AwsError(
        ErrorCode.credentials,
        `The clock of this machine differs too much from AWS's for a signature (${said})`,
        { fix: 'Set the clock, and keep it set with NTP (chrony, systemd-timesyncd).' },
      );
    case 'accessDenied':
      return new AwsError(
        ErrorCode.accessDenied,
        `The credentials do not allow kinesisvideo:${action}${aboutResource(call)} (${said})`,
        { fix: `Allow the action kinesisvideo:${action} in the IAM policy of the user or role.` },
      );
    case 'network':
      return new AwsError(ErrorCode.aws, `Cannot reach ${host} for ${action} (${said})`, {
        fix:
          certificateFix(failure) ??
          `Check the region (${region}), DNS, proxy and firewall, or the endpoint that was given; ` +
            'for a local KVS, that `kvs-bridge local` is running there.',
      });
    case 'throttled':
      return new AwsError(ErrorCode.aws, `${action} was refused as too frequent (${said})`, {
        fix: 'Try again later; ask AWS for a higher quota if it stays so.',
      });
    case 'serverFault':
      return new AwsError(
        ErrorCode.aws,
        `${host} failed to answer ${action} (${describeFailure(failure)})`,
        {
          fix: 'Try again later; check the AWS Health Dashboard of the region.',
        },
      );
    case 'exists':
    case 'other':
      return new AwsError(
        ErrorCode.aws,
        `${action}${aboutResource(call)} failed (${describeFailure(failure)})`,
      );
  }
}

/** What to do about a certificate; undefined when the network itself failed. */
export function certificateFix({ name }: AwsFailure): string | undefined {
  return certificatePattern.test(name)
    ? 'Trust the authority that signed the certificate: put its PEM in NODE_EXTRA_CA_CERTS.'
    : undefined;
}

function notFoundError({ action, region, resource }: AwsCall, said: string): AwsError {
  if (resource === undefined) return new AwsError(ErrorCode.aws, `${action} failed (${said})`);
  const { type, name } = resource;
  return type === 'channel'
    ? new AwsError(
        ErrorCode.channelNotFound,
        `There is no signaling channel "${name}" in ${region} for this account`,
        {
          fix:
            'Check its name and the region, or create it: `kvs-bridge publish --create-channel`, ' +
            'or `aws kinesisvideo create-signaling-channel`.',
        },
      )
    : new AwsError(
        ErrorCode.streamNotFound,
        `There is no video stream "${name}" in ${region} for this account`,
        {
          fix:
            'Check its name and the region, or create it: ' +
            '`kvs-bridge start --create-stream --retention-hours 24`.',
        },
      );
}

function aboutResource({ resource }: AwsCall): string {
  return resource === undefined ? '' : ` on the ${resource.type} "${resource.name}"`;
}

/** What the service said, on one line: name, HTTP status, message. */
export function describeFailure({ name, status, message }: AwsFailure): string {
  const head = status === undefined ? name : `${name}, HTTP ${String(status)}`;
  return message === '' ? head : `${head}: ${message}`;
}

function shorten(text: string): string {
  const line = redact(text).replaceAll(/\s+/g, ' ').trim();
  return line.length <= messageMaxLength ? line : `${line.slice(0, messageMaxLength)}…`;
}

function names(
  kind: AwsFailureKind,
  list: readonly string[],
): readonly (readonly [string, AwsFailureKind])[] {
  return list.map((name) => [name, kind]);
}
