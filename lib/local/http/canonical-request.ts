/** The canonical form of a request that a signature covers (AWS Signature Version 4). */
import { createHash } from 'node:crypto';

/** Parts of a request as they came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
}

/** Names and values of the query, decoded. */
export type QueryPairs = readonly (readonly [name: string, value: string])[];

/** Divides a request's URL. */
export function splitUrl(url: string): { readonly path: string; readonly query: QueryPairs } {
  const mark = url.indexOf('?');
  if (mark === -1) return { path: url, query: [] };
  const query = url
    .slice(mark + 1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const name = equals === -1 ? part : part.slice(0, equals);
      return [decode(name), equals === -1 ? '' : decode(part.slice(equals + 1))] as const;
    });
  return { path: url.slice(0, mark), query };
}

/** The values of a header, joined as they are signed; undefined when it did not come. */
export function headerValue(
  rawHeaders: readonly string[],
  lowerCaseName: string,
): string | undefined {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== lowerCaseName) continue;
    values.push((rawHeaders[index + 1] ?? '').trim().replace(/\s+/g, ' '));
  }
  return values.length === 0 ? undefined : values.join(',');
}

/** The text whose hash is signed. */
export function canonicalRequest(
  { method, url, rawHeaders }: WireRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const { path, query } = splitUrl(url);
  const headers = signedHeaders.map((name) => `${name}:${headerValue(rawHeaders, name) ?? ''}\n`);
  return [
    method.toUpperCase(),
    canonicalPath(path),
    canonicalQuery(query),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** Hex SHA-256. */
export function sha256Hex(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Every service but S3 encodes the path once more than it already is. */
function canonicalPath(path: string): string {
  return path === '' ? '/' : path.split('/').map(encode).join('/');
}

function canonicalQuery(query: QueryPairs): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** RFC 3986: encodeURIComponent leaves five characters more as they are. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
