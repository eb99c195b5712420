/** What kvssink does about an ERROR acknowledgement by itself. */
import type { AckErrorAction } from '../putmedia/media-sink.js';

/** It connects again and goes on behind the fragment, which is lost (measured: 4004, 4006). */
const skipped = new Set([4001, 4002, 4004, 4006, 4009, 4011]);

/** It connects again and sends the fragment once more (measured: 4003, 5000). */
const resent = new Set([4000, 4003, 5000, 5001]);

/** `slowRetry`: the element gives up, and a fresh media process tries again. */
export function kvsSinkAckAction(errorId: number): AckErrorAction {
  if (skipped.has(errorId)) return 'skipFragment';
  return resent.has(errorId) ? 'resend' : 'slowRetry';
}
