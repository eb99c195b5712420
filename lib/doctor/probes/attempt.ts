/** What became of one request to AWS. */
import { ErrorCode } from '../../util/errors.js';
import type { KvsBridgeError } from '../../util/errors.js';
import { once, step } from './step.js';

/** A request that worked, failed, or could not be made. */
export type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: KvsBridgeError }
  | { readonly kind: 'untried'; readonly reason: string };

/** A request that is made once, whoever asks for its outcome. */
export type Probe<T> = () => Promise<Attempt<T>>;

/** Bounds of one request. */
export interface AttemptBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A probe that needs what another one finds. */
export function after<A, T>(
  previous: Probe<A>,
  work: (found: A, signal: AbortSignal) => Promise<T>,
  bounds: AttemptBounds,
): Probe<T> {
  return once(async () => {
    const found = await previous();
    if (found.kind === 'failed') return { kind: 'untried', reason: causeOf(found.error) };
    if (found.kind === 'untried') return found;
    const outcome = await step((signal) => work(found.value, signal), bounds);
    return outcome.ok
      ? { kind: 'done', value: outcome.value }
      : { kind: 'failed', error: outcome.error };
  });
}

/** Why what depends on a failed request was not tried, in a few words. */
function causeOf({ code }: KvsBridgeError): string {
  switch (code) {
    case ErrorCode.credentials:
      return 'the credentials are not accepted';
    case ErrorCode.channelNotFound:
      return 'there is no such channel';
    case ErrorCode.streamNotFound:
      return 'there is no such stream';
    case ErrorCode.accessDenied:
      return 'a permission before it is missing';
    default:
      return 'a request before it failed';
  }
}

/** What AWS said, without what was tried: the text in the last parentheses, else all of it. */
export function reasonOf({ message }: KvsBridgeError): string {
  const said = /\(([^()]*(?:\([^()]*\)[^()]*)*)\)$/.exec(message)?.[1] ?? message;
  return said.replace(/\.$/, '');
}
