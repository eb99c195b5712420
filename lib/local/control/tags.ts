/** Tags: of streams as a map, of any resource as a list (KVS API reference). */
import * as v from 'valibot';
import { jsonOperation } from '../http/operation.js';
import type { Operation } from '../http/operation.js';
import { resourceNotFound, tagLimit } from '../http/service-error.js';
import { findStream } from './lookup.js';
import { page } from './paging.js';
import type { PageInput } from './paging.js';
import type { Registry } from './registry.js';
import * as s from './schemas.js';

type Tags = Readonly<Record<string, string>>;
const maxTags = 50;
const tagsPageSize = 50;

/** A resource's tags, and the means to replace them. */
interface Tagged {
  readonly tags: Tags;
  readonly replace: (tags: Tags) => Promise<void>;
}

/** The operations, to be served. */
export function tagOperations(registry: Registry): Operation[] {
  const ofStream = (input: { StreamName?: string | undefined; StreamARN?: string | undefined }) =>
    taggedByArn(registry, findStream(registry, input).arn);
  return [
    jsonOperation(
      'TagStream',
      '/tagStream',
      v.object({ ...s.stream, Tags: s.tagMap }),
      async (input) => add(ofStream(input), input.Tags),
    ),
    jsonOperation(
      'UntagStream',
      '/untagStream',
      v.object({ ...s.stream, TagKeyList: s.tagKeys }),
      async (input) => remove(ofStream(input), input.TagKeyList),
    ),
    jsonOperation(
      'ListTagsForStream',
      '/listTagsForStream',
      v.object({ ...s.stream, NextToken: s.listing.NextToken }),
      (input) => list(ofStream(input), input),
    ),
    jsonOperation(
      'TagResource',
      '/TagResource',
      v.object({ ResourceARN: s.arn, Tags: s.tagList }),
      async (input) => add(taggedByArn(registry, input.ResourceARN), tagsOfList(input.Tags)),
    ),
    jsonOperation(
      'UntagResource',
      '/UntagResource',
      v.object({ ResourceARN: s.arn, TagKeyList: s.tagKeys }),
      async (input) => remove(taggedByArn(registry, input.ResourceARN), input.TagKeyList),
    ),
    jsonOperation(
      'ListTagsForResource',
      '/ListTagsForResource',
      v.object({ ResourceARN: s.arn, NextToken: s.listing.NextToken }),
      (input) => list(taggedByArn(registry, input.ResourceARN), input),
    ),
  ];
}

/** A list of tags as a map; the last of two with the same key counts. */
export function tagsOfList(tags: v.InferOutput<typeof s.tagList>): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

function taggedByArn(registry: Registry, arn: string): Tagged {
  const stream = registry.streamByArn(arn);
  if (stream !== undefined) {
    return { tags: stream.tags, replace: async (tags) => registry.putStream({ ...stream, tags }) };
  }
  const channel = registry.channelByArn(arn);
  if (channel !== undefined) {
    return {
      tags: channel.tags,
      replace: async (tags) => registry.putChannel({ ...channel, tags }),
    };
  }
  throw resourceNotFound(`The resource ${arn} is not found.`);
}

async function add({ tags, replace }: Tagged, added: Tags): Promise<void> {
  const merged = { ...tags, ...added };
  if (Object.keys(merged).length > maxTags) throw tagLimit('At most 50 tags.');
  await replace(merged);
}

async function remove({ tags, replace }: Tagged, keys: readonly string[]): Promise<void> {
  await replace(Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))));
}

function list({ tags }: Tagged, input: PageInput): object {
  const entries = Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1));
  const { items, nextToken } = page(entries, input, ([key]) => key, undefined, tagsPageSize);
  return { Tags: Object.fromEntries(items), NextToken: nextToken };
}
