/** Reads the JSON body of a call. */
import type { IncomingMessage } from 'node:http';
import { invalidArgument, ServiceError } from './service-error.js';

const maxBodyBytes = 1024 * 1024;

/** @throws {@link ServiceError} the body is too large */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) {
      throw new ServiceError('RequestEntityTooLargeException', 413, 'The body is too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws {@link ServiceError} the body is not JSON */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidArgument('The body is not a JSON document.');
  }
}
