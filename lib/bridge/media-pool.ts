/** The media sessions of a Bridge: the one that is next or runs, and those that still drain. */
import { createMediaSession } from '../media/create-session.js';
import type { MediaSession } from '../media/media-session.js';
import type { BridgeParts } from './bridge-parts.js';
import { kvsSinkPlace } from './options.js';

/** Makes media sessions and sees to it that none outlives the Bridge. */
export class MediaPool {
  readonly #parts: Pick<BridgeParts, 'options' | 'tags'>;
  readonly #open = new Set<MediaSession>();
  #present: MediaSession | undefined;

  constructor(parts: Pick<BridgeParts, 'options' | 'tags'>) {
    this.#parts = parts;
  }

  /** The one that runs, or will run next; undefined between two. */
  get present(): MediaSession | undefined {
    return this.#present;
  }

  /** How many are not closed. */
  get size(): number {
    return this.#open.size;
  }

  /** The session to run next: loading since it was made. Asking again gives the same one. */
  async next(): Promise<MediaSession> {
    if (this.#present !== undefined) return this.#present;
    const { options, tags } = this.#parts;
    const media = await createMediaSession(options.isolation, kvsSinkPlace(options));
    this.#open.add(media);
    this.#present = media;
    for (const tag of tags.next) media.putMetadata(tag, { persistent: false });
    media.once('ending', () => {
      this.#retire(media);
    });
    media.once('closed', () => {
      this.#open.delete(media);
      this.#retire(media);
    });
    return media;
  }

  /** Ends them all, within one drain time. Repeats share it. */
  async stop(drainTimeoutMs: number): Promise<void> {
    await Promise.all([...this.#open].map((media) => media.stop({ drainTimeoutMs })));
  }

  /** Ends them all at once, without draining. */
  kill(): void {
    for (const media of this.#open) media.kill();
  }

  #retire(media: MediaSession): void {
    if (this.#present === media) this.#present = undefined;
  }
}
