/** A fragment as GetMedia sends it. */
import { tagsElement } from '../mkv/tags.js';
import type { SimpleTag } from '../mkv/tags.js';
import type { Fragment } from '../store/fragment.js';

/** Content type of the real service's answer. */
export const mediaContentType = 'video/webm';

const prefix = 'AWS_KINESISVIDEO_';

/**
 * The upload's header and the producer's tags, the service's tags, the cluster: the order in which
 * the real service sends them, for each fragment anew.
 */
export function fragmentMedia(
  fragment: Fragment,
  bytes: Buffer,
  tags: readonly SimpleTag[],
): Buffer[] {
  return [
    bytes.subarray(0, fragment.clusterOffset),
    tagsElement(tags),
    bytes.subarray(fragment.clusterOffset),
  ];
}

/** Tags that GetMedia puts before a cluster. */
export function identityTags(fragment: Fragment): SimpleTag[] {
  return [
    tag('FRAGMENT_NUMBER', fragment.number),
    tag('SERVER_TIMESTAMP', seconds(fragment.serverTimestampMs)),
    tag('PRODUCER_TIMESTAMP', seconds(fragment.producerTimestampMs)),
  ];
}

/** The same two times under the names that GetMediaForFragmentList's documentation gives. */
export function archiveTags(fragment: Fragment): SimpleTag[] {
  return [
    tag('SERVER_SIDE_TIMESTAMP', seconds(fragment.serverTimestampMs)),
    tag('PRODUCER_SIDE_TIMESTAMP', seconds(fragment.producerTimestampMs)),
  ];
}

/** Tags that GetMedia puts behind a cluster. */
export function progressTags(fragment: Fragment, millisBehindNow: number): Buffer {
  return tagsElement([
    tag('MILLIS_BEHIND_NOW', String(Math.max(0, Math.round(millisBehindNow)))),
    tag('CONTINUATION_TOKEN', fragment.number),
  ]);
}

function tag(name: string, value: string): SimpleTag {
  return { name: prefix + name, value };
}

/** Epoch seconds with milliseconds, as in "1511852109.126". */
function seconds(epochMs: number): string {
  return (epochMs / 1000).toFixed(3);
}
