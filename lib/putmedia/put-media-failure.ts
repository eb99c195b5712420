/** What broke a PutMedia request, and how to go on after it. */
import { awsErrorOf, describeFailure, failureOfError, isTransient } from '../aws/aws-errors.js';
import type { AwsFailure, AwsFailureKind } from '../aws/aws-errors.js';
import { failureOfHttpAnswer } from '../aws/http-answer.js';
import { ErrorCode, KvsBridgeError, PutMediaError } from '../util/errors.js';

/** How a failed request is repeated. */
export type RetryClass =
  /** A passing fault: again soon, with growing delays. */
  | 'backoff'
  /** The credentials were not accepted: again soon with other ones, or the same if there are none. */
  | 'credentials'
  /** They may have run out or lack the permission: again soon with new ones, then slowly. */
  | 'permission'
  /** Somebody has to act first: slowly. */
  | 'slow';

/** Whether new credentials may help. */
export function isRefusal(retry: RetryClass): boolean {
  return retry === 'credentials' || retry === 'permission';
}

/** A failed request. */
export interface PutMediaFailure {
  readonly error: PutMediaError;
  readonly retry: RetryClass;
}

/** What the request was about, for messages. */
export interface PutMediaTarget {
  readonly region: string;
  /** Host and port of the data endpoint. */
  readonly host: string;
  /** Name of the stream. */
  readonly streamName: string;
}

const retryByKind: Record<AwsFailureKind, RetryClass> = {
  accessDenied: 'slow',
  // The answer told AWS's time: the next signature bears that.
  clockSkew: 'backoff',
  credentials: 'credentials',
  exists: 'backoff',
  network: 'backoff',
  notFound: 'slow',
  other: 'slow',
  serverFault: 'backoff',
  throttled: 'backoff',
};

/** An HTTP answer other than 200. */
export function failureOfRefusal(
  answer: {
    readonly status: number;
    readonly errorType: string | undefined;
    readonly body: string;
  },
  target: PutMediaTarget,
): PutMediaFailure {
  const failure = failureOfHttpAnswer(answer.status, answer.errorType, answer.body);
  if (failure.name === 'ConnectionLimitExceededException') {
    return failureOf(
      `Somebody else is sending to the stream "${target.streamName}" (${describeFailure(failure)})`,
      'Stop the other producer: KVS takes one PutMedia connection per stream.',
    );
  }
  // Credentials that ran out answer 401 and 403 too, by a name that may say nothing about them.
  const mayBeExpired = answer.status === 401 || answer.status === 403;
  const retry = mayBeExpired && !isRefusal(retryOf(failure)) ? 'permission' : retryOf(failure);
  return { error: toPutMediaError(failure, target), retry };
}

/** The request could not be made, or its connection broke. */
export function failureOfConnection(
  error: unknown,
  target: PutMediaTarget,
  wasConnected: boolean,
): PutMediaFailure {
  if (error instanceof KvsBridgeError) {
    const { message, fix } = error;
    // Credentials that cannot be had now come back; only AWS's refusal makes them a matter of people.
    return {
      error: new PutMediaError(error.code, message, fix === undefined ? {} : { fix }),
      retry: 'backoff',
    };
  }
  const failure = failureOfError(error);
  if (!wasConnected) {
    // Not a passing fault: a certificate that is not trusted, for example.
    const retry = isTransient(failure) ? 'backoff' : 'slow';
    return { error: toPutMediaError(failure, target), retry };
  }
  return failureOf(
    `The PutMedia connection to ${target.host} broke (${describeFailure(failure)})`,
    'Check the network if it happens often; media is kept and sent again.',
  );
}

/** A passing failure with these words. */
export function failureOf(message: string, fix: string): PutMediaFailure {
  return { error: new PutMediaError(ErrorCode.putMedia, message, { fix }), retry: 'backoff' };
}

function retryOf({ kind, status }: AwsFailure): RetryClass {
  return status === 408 ? 'backoff' : retryByKind[kind];
}

function toPutMediaError(
  failure: AwsFailure,
  { region, host, streamName }: PutMediaTarget,
): PutMediaError {
  const { code, message, fix } = awsErrorOf(failure, {
    action: 'PutMedia',
    region,
    host,
    resource: { type: 'stream', name: streamName },
  });
  return new PutMediaError(
    code === ErrorCode.aws ? ErrorCode.putMedia : code,
    message,
    fix === undefined ? {} : { fix },
  );
}
