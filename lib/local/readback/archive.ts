/** ListFragments and GetMediaForFragmentList (KVS archived media API). */
import type { ServerResponse } from 'node:http';
import * as v from 'valibot';
import { findStream } from '../control/lookup.js';
import type { StreamInput } from '../control/lookup.js';
import { page } from '../control/paging.js';
import * as s from '../control/schemas.js';
import { jsonOperation, mediaOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { noDataRetention, resourceNotFound } from '../http/service-error.js';
import { compareNumbers, isFragmentNumber } from '../store/fragment.js';
import type { Fragment } from '../store/fragment.js';
import type { StreamStore } from '../store/stream-store.js';
import { archiveTags, fragmentMedia, identityTags } from './fragment-media.js';
import { beginMedia, writeMedia } from './media-response.js';
import type { ReadbackOptions } from './readback-options.js';

const defaultMaxResults = 100;
const fragmentNumber = v.pipe(v.string(), v.check(isFragmentNumber, 'must be a fragment number'));
const selectorSchema = v.object({
  FragmentSelectorType: v.picklist(['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP']),
  TimestampRange: v.object({ StartTimestamp: s.timestamp, EndTimestamp: s.timestamp }),
});
type FragmentSelector = v.InferOutput<typeof selectorSchema>;

/** The operations, to be served. */
export function archiveOperations(options: ReadbackOptions): Operation[] {
  return [
    jsonOperation(
      'ListFragments',
      '/listFragments',
      v.object({
        ...s.stream,
        NextToken: v.optional(s.nextToken),
        MaxResults: v.optional(v.pipe(s.maxResults, v.maxValue(1000)), defaultMaxResults),
        FragmentSelector: v.optional(selectorSchema),
      }),
      async (input) => {
        const { fragments } = await openArchive(options, input);
        const selected = fragments.filter((fragment) => isIn(fragment, input.FragmentSelector));
        const { items, nextToken } = page(selected, input, ({ number }) => number, compareNumbers);
        return { Fragments: items.map(listed), NextToken: nextToken };
      },
    ),
    mediaOperation(
      'GetMediaForFragmentList',
      '/getMediaForFragmentList',
      v.object({
        ...s.stream,
        Fragments: v.pipe(v.array(fragmentNumber), v.minLength(1), v.maxLength(1000)),
      }),
      async (input, response, { signal }) => {
        const store = await openArchive(options, input);
        await sendFragments(store, input.Fragments, response, signal);
      },
    ),
  ];
}

async function sendFragments(
  store: StreamStore,
  numbers: readonly string[],
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const fragments = numbers.map((number) => {
    const fragment = store.find(number);
    if (fragment === undefined) throw resourceNotFound(`There is no fragment ${number}.`);
    return fragment;
  });
  beginMedia(response);
  for (const fragment of fragments) {
    const bytes = await store.read(fragment.number);
    const tags = [...identityTags(fragment), ...archiveTags(fragment)];
    await writeMedia(response, fragmentMedia(fragment, bytes, tags), signal);
  }
  response.end();
}

async function openArchive(
  { registry, store }: ReadbackOptions,
  input: StreamInput,
): Promise<StreamStore> {
  const stream = findStream(registry, input);
  if (stream.retentionHours === 0) {
    throw noDataRetention(`The stream ${stream.name} has no data retention.`);
  }
  return store.of(stream);
}

/** By the start of the fragment; both ends of the range count. */
function isIn(fragment: Fragment, selector: FragmentSelector | undefined): boolean {
  if (selector === undefined) return true;
  const { StartTimestamp, EndTimestamp } = selector.TimestampRange;
  const startMs =
    selector.FragmentSelectorType === 'SERVER_TIMESTAMP'
      ? fragment.serverTimestampMs
      : fragment.producerTimestampMs;
  return startMs >= StartTimestamp && startMs <= EndTimestamp;
}

function listed(fragment: Fragment): object {
  return {
    FragmentNumber: fragment.number,
    FragmentSizeInBytes: fragment.sizeBytes,
    ProducerTimestamp: fragment.producerTimestampMs / 1000,
    ServerTimestamp: fragment.serverTimestampMs / 1000,
    FragmentLengthInMilliseconds: fragment.durationMs,
  };
}
