/** Tags elements: metadata of fragments, both ways. */
import { childOf, childrenOf, readString } from './element-tree.js';
import { ElementId } from './ids.js';
import { element, stringElement } from './writer.js';

/** One SimpleTag. */
export interface SimpleTag {
  readonly name: string;
  readonly value: string;
}

/** The SimpleTags in the payload of a Tags element. */
export function readTags(payload: Buffer): SimpleTag[] {
  const tags: SimpleTag[] = [];
  for (const tag of childrenOf(payload)) {
    if (tag.id !== ElementId.tag) continue;
    for (const child of childrenOf(tag.payload)) {
      if (child.id !== ElementId.simpleTag) continue;
      tags.push({
        name: readString(childOf(child.payload, ElementId.tagName) ?? Buffer.alloc(0)),
        value: readString(childOf(child.payload, ElementId.tagString) ?? Buffer.alloc(0)),
      });
    }
  }
  return tags;
}

/** A Tags element with one Tag that holds all of `tags`. */
export function tagsElement(tags: readonly SimpleTag[]): Buffer {
  const simpleTags = tags.map(({ name, value }) =>
    element(
      ElementId.simpleTag,
      stringElement(ElementId.tagName, name),
      stringElement(ElementId.tagString, value),
    ),
  );
  return element(ElementId.tags, element(ElementId.tag, ...simpleTags));
}
