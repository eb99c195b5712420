/** Writes media to a response no faster than it is taken. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { commonHeaders } from '../http/answer.js';
import { mediaContentType } from './fragment-media.js';

/** Sends the head of an answer that is media. */
export function beginMedia(response: ServerResponse): void {
  response.writeHead(200, { ...commonHeaders(), 'Content-Type': mediaContentType });
  response.flushHeaders();
}

/** @throws the signal's reason, when the reader is gone */
export async function writeMedia(
  response: ServerResponse,
  parts: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  let hasRoom = true;
  for (const part of parts) hasRoom = response.write(part);
  if (!hasRoom) await once(response, 'drain', { signal });
}
