/** Chooses where a media session runs. */
import type { KvsSinkPlace } from '../kvssink/environment.js';
import { ChildMediaSession } from './child-session.js';
import type { MediaSession } from './media-session.js';

/** Where the media pipeline runs. */
export const Isolation = {
  /** In a child process: a crash or a leak of the media stack ends with it. */
  process: 'process',
  /** In this process. */
  none: 'none',
} as const;

/** One of {@link Isolation}. */
export type Isolation = (typeof Isolation)[keyof typeof Isolation];

/**
 * Creates a session; with `process` its child is forked at once.
 *
 * @param kvsSink - where kvssink is to connect to; without it, it is not used
 */
export async function createMediaSession(
  isolation: Isolation,
  kvsSink?: KvsSinkPlace,
): Promise<MediaSession> {
  if (isolation === Isolation.process) return new ChildMediaSession(kvsSink);
  // The addon is loaded in this process only when asked to.
  const { InProcessMediaSession } = await import('./in-process-session.js');
  return new InProcessMediaSession();
}
