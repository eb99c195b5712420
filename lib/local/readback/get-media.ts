/** GetMedia: the fragments of a stream from some point on, and then live (KVS media API). */
import type { ServerResponse } from 'node:http';
import * as v from 'valibot';
import { abortable } from '../../util/abort.js';
import { findStream } from '../control/lookup.js';
import * as s from '../control/schemas.js';
import { mediaOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { connectionLimit, invalidArgument } from '../http/service-error.js';
import { isFragmentNumber } from '../store/fragment.js';
import type { Fragment } from '../store/fragment.js';
import { FragmentGoneError } from '../store/stream-store.js';
import type { StreamStore } from '../store/stream-store.js';
import { fragmentMedia, identityTags, progressTags } from './fragment-media.js';
import { beginMedia, writeMedia } from './media-response.js';
import type { ReadbackOptions } from './readback-options.js';

const fragmentNumber = v.pipe(v.string(), v.check(isFragmentNumber, 'must be a fragment number'));
const selectorSchema = v.variant('StartSelectorType', [
  v.object({ StartSelectorType: v.literal('NOW') }),
  v.object({ StartSelectorType: v.literal('EARLIEST') }),
  v.object({
    StartSelectorType: v.literal('FRAGMENT_NUMBER'),
    AfterFragmentNumber: fragmentNumber,
  }),
  v.object({
    StartSelectorType: v.literal('CONTINUATION_TOKEN'),
    ContinuationToken: fragmentNumber,
  }),
  v.object({ StartSelectorType: v.literal('SERVER_TIMESTAMP'), StartTimestamp: s.timestamp }),
  v.object({ StartSelectorType: v.literal('PRODUCER_TIMESTAMP'), StartTimestamp: s.timestamp }),
]);
type StartSelector = v.InferOutput<typeof selectorSchema>;

/** The operation, to be served. */
export function getMediaOperation({ registry, store, limits }: ReadbackOptions): Operation {
  const readers = new Map<string, number>();
  return mediaOperation(
    'GetMedia',
    '/getMedia',
    v.object({ ...s.stream, StartSelector: selectorSchema }),
    async (input, response, { signal }) => {
      const stream = findStream(registry, input);
      const count = readers.get(stream.arn) ?? 0;
      if (count >= limits.maxReaders) {
        throw connectionLimit(`The stream has ${count} readers already.`);
      }
      readers.set(stream.arn, count + 1);
      try {
        const opened = await store.of(stream);
        await streamLive(opened, input.StartSelector, response, signal);
      } finally {
        const left = (readers.get(stream.arn) ?? 1) - 1;
        if (left === 0) readers.delete(stream.arn);
        else readers.set(stream.arn, left);
      }
    },
  );
}

async function streamLive(
  store: StreamStore,
  selector: StartSelector,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  beginMedia(response);
  let after = startAfter(store.fragments, selector);
  try {
    for (;;) {
      const fragment = store.after(after);
      if (fragment === undefined) {
        if (store.isClosed) break;
        await nextChange(store, signal);
        continue;
      }
      after = fragment.number;
      const bytes = await readUnlessGone(store, fragment);
      if (bytes === undefined) continue;
      const latest = store.fragments.at(-1) ?? fragment;
      const behindMs = latest.serverTimestampMs - fragment.serverTimestampMs;
      const media = fragmentMedia(fragment, bytes, identityTags(fragment));
      await writeMedia(response, [...media, progressTags(fragment, behindMs)], signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

/** A fragment may be trimmed between its turn and its reading. */
async function readUnlessGone(
  store: StreamStore,
  { number }: Fragment,
): Promise<Buffer | undefined> {
  return store.read(number).catch((error: unknown) => {
    if (error instanceof FragmentGoneError) return undefined;
    throw error;
  });
}

async function nextChange(store: StreamStore, signal: AbortSignal): Promise<void> {
  await abortable<undefined>((resolve) => {
    const done = (): void => {
      resolve(undefined);
    };
    store.once('added', done);
    store.once('closed', done);
    return () => {
      store.off('added', done);
      store.off('closed', done);
    };
  }, signal);
}

/** The number that comes just before the first fragment wanted. */
function startAfter(fragments: readonly Fragment[], selector: StartSelector): string {
  switch (selector.StartSelectorType) {
    case 'EARLIEST':
      return '0';
    case 'NOW':
      return before(fragments.at(-1));
    case 'FRAGMENT_NUMBER':
      return selector.AfterFragmentNumber;
    case 'CONTINUATION_TOKEN':
      return selector.ContinuationToken;
    case 'SERVER_TIMESTAMP':
      return startAt(fragments, selector.StartTimestamp, (found) => found.serverTimestampMs);
    case 'PRODUCER_TIMESTAMP':
      return startAt(fragments, selector.StartTimestamp, (found) => found.producerTimestampMs);
    default:
      throw invalidArgument('StartSelector.StartSelectorType: is not valid');
  }
}

/** The fragment that holds this time, else the first one after it, else what comes next. */
function startAt(
  fragments: readonly Fragment[],
  timestampMs: number,
  timeOf: (fragment: Fragment) => number,
): string {
  const found = fragments.find((fragment) => timeOf(fragment) + fragment.durationMs > timestampMs);
  return found === undefined ? (fragments.at(-1)?.number ?? '0') : before(found);
}

function before(fragment: Fragment | undefined): string {
  return fragment === undefined ? '0' : String(BigInt(fragment.number) - 1n);
}
