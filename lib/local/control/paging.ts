/** Pages of a list that is ordered by a key. */
import { invalidArgument } from '../http/service-error.js';

/** One page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** How a call asks for a page. */
export interface PageInput {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/**
 * The page that follows the token, which names the last item before it: items that come or go in
 * between neither repeat nor hide others.
 *
 * @param compare - orders two keys; the items stand in this order
 * @throws ServiceError the token is not one of ours
 */
export function page<T>(
  items: readonly T[],
  input: PageInput,
  keyOf: (item: T) => string,
  compare: (left: string, right: string) => number = compareText,
  defaultMaxResults = 10_000,
): Page<T> {
  const after = input.NextToken === undefined ? undefined : decodeToken(input.NextToken);
  const start =
    after === undefined ? 0 : items.findIndex((item) => compare(keyOf(item), after) > 0);
  if (start === -1) return { items: [], nextToken: undefined };
  const end = start + (input.MaxResults ?? defaultMaxResults);
  const selected = items.slice(start, end);
  const last = selected.at(-1);
  const hasMore = last !== undefined && end < items.length;
  return { items: selected, nextToken: hasMore ? encodeToken(keyOf(last)) : undefined };
}

const marker = 'after:';

function encodeToken(key: string): string {
  return Buffer.from(marker + key).toString('base64');
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (!text.startsWith(marker)) throw invalidArgument('NextToken: is not valid');
  return text.slice(marker.length);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
