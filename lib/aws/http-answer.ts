/** Reads AWS's error format from a plain HTTP answer, for the calls that no SDK makes. */
import * as v from 'valibot';
import { failureOfAnswer } from './aws-errors.js';
import type { AwsFailure } from './aws-errors.js';

const bodySchema = v.object({
  __type: v.optional(v.string()),
  code: v.optional(v.string()),
  message: v.optional(v.string()),
  Message: v.optional(v.string()),
});

const nameByStatus = new Map([
  [400, 'InvalidArgumentException'],
  [401, 'NotAuthorizedException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [429, 'ThrottlingException'],
]);

/** Words by which a refusal without an exception name shows that the keys were at fault. */
const badKeysPattern = /security token .*(?:invalid|expired)|signature we calculated/i;

/**
 * Classifies a refused HTTP request.
 *
 * The exception's name is taken from where AWS's own clients look for it: the header
 * `x-amzn-ErrorType`, then `__type`, then `code` in the body; else it is guessed from the status.
 *
 * @param errorType - value of the header `x-amzn-errortype`, if any
 * @param body - text of the body, JSON or not; its size must be bounded by the caller
 */
export function failureOfHttpAnswer(
  status: number,
  errorType: string | undefined,
  body: string,
): AwsFailure {
  const fields = parseBody(body);
  const message = fields?.message ?? fields?.Message ?? (fields === undefined ? body : '');
  const name =
    exceptionName(errorType ?? fields?.__type ?? fields?.code) ??
    (badKeysPattern.test(message) ? 'UnrecognizedClientException' : nameByStatus.get(status));
  return failureOfAnswer({ name, status, message });
}

/** `com.amazonaws.kinesisvideo#AccessDeniedException:http://…` is `AccessDeniedException`. */
function exceptionName(text: string | undefined): string | undefined {
  return /^(?:[\w.]*#)?(\w{1,100})(?::.*)?$/.exec(text ?? '')?.[1];
}

function parseBody(body: string): v.InferOutput<typeof bodySchema> | undefined {
  try {
    const result = v.safeParse(bodySchema, JSON.parse(body));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
