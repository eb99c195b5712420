/** Asks the archive which fragments it has (AWS API reference, archived media, ListFragments). */
import http from 'node:http';
import https from 'node:https';
import * as v from 'valibot';
import { awsErrorOf, toAwsError } from '../aws/aws-errors.js';
import type { AwsCall } from '../aws/aws-errors.js';
import { awsClock } from '../aws/clock.js';
import type { AwsCredentials } from '../aws/credentials.js';
import { failureOfHttpAnswer } from '../aws/http-answer.js';
import { signRequest } from '../aws/sigv4.js';
import { ErrorCode, PutMediaError } from '../util/errors.js';
import type { PersistedLookup } from './stored-check.js';

/** Where the archive of a stream is, and who asks. */
export interface ListFragmentsOptions {
  /** The stream's LIST_FRAGMENTS data endpoint, as GetDataEndpoint gave it; http or https. */
  readonly endpoint: string;
  readonly region: string;
  readonly streamName: string;
  readonly credentials: (options: { readonly signal: AbortSignal }) => Promise<AwsCredentials>;
  /** PEM certificates to trust instead of Node's. */
  readonly ca?: string;
  /** @defaultValue 'kvs-bridge' */
  readonly userAgent?: string;
  /** Fragments asked for at once, 1 to 1000. @defaultValue 1000 */
  readonly pageSize?: number;
}

/** Times are sent as seconds in floating point: nothing may fall out of the range by rounding. */
const rangeMarginMs = 1_000;
const maxAnswerBytes = 4 * 1024 * 1024;
/** Fragments in doubt that are further apart are asked for separately. */
const maxHoleMs = 10 * 60_000;
/** A span in doubt is bounded by the buffer: more pages than this is an answer that never ends. */
const maxPages = 100;

const answerSchema = v.object({
  Fragments: v.nullish(
    v.array(
      v.object({
        FragmentNumber: v.pipe(v.string(), v.regex(/^\d{1,128}$/)),
        /** Unix epoch seconds. */
        ProducerTimestamp: v.number(),
      }),
    ),
    [],
  ),
  NextToken: v.nullish(v.string()),
});
type Answer = v.InferOutput<typeof answerSchema>;

/** A {@link PersistedLookup} by ListFragments over the spans of the fragments in doubt. */
export function lookUpByListFragments(options: ListFragmentsOptions): PersistedLookup {
  return async (timecodesMs, { signal }) => {
    const found = new Map<number, string>();
    for (const span of spansOf(timecodesMs)) await lookUpSpan(options, span, found, signal);
    return found;
  };
}

/** Times that are close enough together for one question: what an outage left may be days apart. */
function spansOf(timecodesMs: readonly number[]): readonly (readonly number[])[] {
  const spans: number[][] = [];
  for (const timecodeMs of [...timecodesMs].sort((a, b) => a - b)) {
    const span = spans.at(-1);
    if (span !== undefined && timecodeMs - (span.at(-1) ?? 0) <= maxHoleMs) span.push(timecodeMs);
    else spans.push([timecodeMs]);
  }
  return spans;
}

/** Adds what is there of one span to `found`. */
async function lookUpSpan(
  options: ListFragmentsOptions,
  timecodesMs: readonly number[],
  found: Map<number, string>,
  signal: AbortSignal,
): Promise<void> {
  const { streamName, pageSize = 1_000 } = options;
  const wanted = new Set(timecodesMs);
  const selector = {
    FragmentSelectorType: 'PRODUCER_TIMESTAMP',
    TimestampRange: {
      StartTimestamp: ((timecodesMs[0] ?? 0) - rangeMarginMs) / 1_000,
      EndTimestamp: ((timecodesMs.at(-1) ?? 0) + rangeMarginMs) / 1_000,
    },
  };
  let token: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const body = JSON.stringify({
      StreamName: streamName,
      MaxResults: pageSize,
      FragmentSelector: selector,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    const { Fragments: fragments, NextToken: next } = await ask(options, body, signal);
    for (const { FragmentNumber: number, ProducerTimestamp: seconds } of fragments) {
      const timecodeMs = Math.round(seconds * 1_000);
      if (wanted.has(timecodeMs)) found.set(timecodeMs, number);
    }
    if (next === undefined || next === null || next === '') return;
    token = next;
  }
}

async function ask(
  { endpoint, region, streamName, credentials, ca, userAgent = 'kvs-bridge' }: ListFragmentsOptions,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/listFragments`);
  const call: AwsCall = {
    action: 'ListFragments',
    region,
    host: url.host,
    resource: { type: 'stream', name: streamName },
  };
  const headers = await signRequest({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    body,
    region,
    credentials: await credentials({ signal }),
  });
  const answer = await post(url, headers, body, {
    signal,
    ...(ca === undefined ? {} : { ca }),
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw toAwsError(error, call);
  });
  if (answer.status !== 200) {
    throw awsErrorOf(failureOfHttpAnswer(answer.status, answer.errorType, answer.body), call);
  }
  const result = v.safeParse(answerSchema, parseJson(answer.body));
  if (result.success) return result.output;
  throw new PutMediaError(ErrorCode.aws, `The answer of ${url.host} to ListFragments is not one`, {
    fix: 'If an endpoint other than AWS is set, check what it serves; else report it as a bug.',
  });
}

interface HttpAnswer {
  readonly status: number;
  readonly errorType: string | undefined;
  readonly body: string;
}

/** One request and its whole answer. */
function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  options: { readonly signal: AbortSignal; readonly ca?: string },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { request: open } = url.protocol === 'https:' ? https : http;
    const request = open(url, { method: 'POST', headers, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxAnswerBytes) request.destroy(new Error('The answer is too large'));
      });
      response.on('end', () => {
        const errorType = response.headers['x-amzn-errortype'];
        awsClock.observe(response.headers.date);
        resolve({
          status: response.statusCode ?? 0,
          errorType: Array.isArray(errorType) ? errorType[0] : errorType,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
