/** Metadata of fragments: what the service takes, and what is kept for the fragments to come. */
import type { FragmentTag } from '../media/media-session.js';
import { OptionsError } from '../util/errors.js';

/** Most tags of a fragment (AWS dev guide, "Using streaming metadata"; more are ERROR 4009). */
const maxTags = 10;
/** The bridge's own: session, epoch, gap, codec. */
const ownTags = 4;
/** Most persistent tags of the user; whatever else a fragment carries, there is room for them. */
const maxPersistentTags = maxTags - ownTags;

const maxNameBytes = 128;
const maxValueBytes = 256;
const ownPrefix = 'kvsb-';

/** The tag that tells sessions of the bridge apart; its value is a UUID. */
export const sessionTagName = `${ownPrefix}session`;

/** Beside `kvsb-gap-ms` in the first fragment of a session: why media was missing until then. */
const gapCauseTagName = `${ownPrefix}gap-cause`;

/**
 * @param where - how the caller's input is called, such as `tags`
 * @throws {@link OptionsError} when the service or the bridge cannot take the tag
 */
export function checkTag({ name, value }: FragmentTag, where: string): void {
  const refuse = (problem: string, fix: string): OptionsError =>
    new OptionsError(where, `The fragment tag ${JSON.stringify(name)} ${problem}`, { fix });
  if (!hasBytes(name, maxNameBytes)) {
    throw refuse(
      `has a name of ${String(Buffer.byteLength(name))} bytes`,
      `Give it a name of 1 to ${String(maxNameBytes)} bytes.`,
    );
  }
  if (/^aws/i.test(name)) {
    throw refuse('begins with AWS, which KVS keeps for itself', 'Begin its name otherwise.');
  }
  if (name.toLowerCase().startsWith(ownPrefix)) {
    throw refuse(`begins with ${ownPrefix}, as the bridge's own tags do`, 'Begin it otherwise.');
  }
  if (!hasBytes(value, maxValueBytes)) {
    throw refuse(
      `has a value of ${String(Buffer.byteLength(value))} bytes`,
      `Give it a value of 1 to ${String(maxValueBytes)} bytes.`,
    );
  }
}

/** The user's persistent tags, and those that wait for the first fragment of a session. */
export class FragmentTags {
  readonly #persistent = new Map<string, string>();
  readonly #next = new Map<string, string>();
  #hasFragments = false;

  /** @throws {@link OptionsError} when the service or the bridge cannot take them */
  constructor(tags: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(tags)) {
      checkTag({ name, value }, 'tags');
      this.#setPersistent(name, value, 'tags');
    }
  }

  /** What every fragment carries, in the order in which it was put. */
  get persistent(): readonly FragmentTag[] {
    return toTags(this.#persistent);
  }

  /**
   * The same with those of one session: these count before others of their name, and there are no
   * more of them than there is room for.
   */
  persistentWith(tags: readonly FragmentTag[]): readonly FragmentTag[] {
    const all = new Map(tags.map(({ name, value }) => [name, value]));
    for (const [name, value] of this.#persistent) if (!all.has(name)) all.set(name, value);
    return toTags(all).slice(0, maxPersistentTags);
  }

  /** What the first fragment of a session that begins now carries besides. */
  get next(): readonly FragmentTag[] {
    return toTags(this.#next);
  }

  /**
   * Takes note of a tag; the caller hands it to the session, if there is one.
   *
   * @throws {@link OptionsError} when the service or the bridge cannot take it
   */
  put(tag: FragmentTag, persistent: boolean): void {
    const { name, value } = tag;
    if (persistent && value === '') {
      this.#persistent.delete(name);
      return;
    }
    checkTag(tag, 'name');
    if (persistent) this.#setPersistent(name, value, 'name');
    // A session may end before it had a fragment: the tag is for the next one then.
    else if (!this.#hasFragments) this.#next.set(name, value);
  }

  /** The first fragment of a session begins, with all that waited for it. */
  beginFragments(): void {
    this.#hasFragments = true;
    this.#next.clear();
  }

  /** The tag that says why nothing was stored before a session; undefined when it has no room. */
  gapCause(cause: string): FragmentTag | undefined {
    // A first fragment is not the one after a change of codecs, whose tag's place this is.
    const hasRoom = this.#persistent.size + this.#next.size <= maxPersistentTags;
    return hasRoom ? { name: gapCauseTagName, value: cause } : undefined;
  }

  /** A session is over. */
  endSession(): void {
    this.#hasFragments = false;
  }

  #setPersistent(name: string, value: string, where: string): void {
    if (!this.#persistent.has(name) && this.#persistent.size >= maxPersistentTags) {
      throw new OptionsError(
        where,
        `The persistent fragment tag ${JSON.stringify(name)} is one too many: at most ${String(maxPersistentTags)}`,
        {
          fix: `KVS takes ${String(maxTags)} tags a fragment, ${String(ownTags)} are the bridge's own: leave one out, or join two.`,
        },
      );
    }
    this.#persistent.set(name, value);
  }
}

function hasBytes(text: string, max: number): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= 1 && bytes <= max;
}

function toTags(tags: ReadonlyMap<string, string>): readonly FragmentTag[] {
  return [...tags].map(([name, value]) => ({ name, value }));
}
