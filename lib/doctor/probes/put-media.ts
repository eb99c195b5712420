/**
 * A PutMedia request without media: AWS checks the signature and the permission, then has nothing to
 * store. It neither ends nor disturbs an upload of somebody else (KVS refuses the newer connection).
 */
import http from 'node:http';
import https from 'node:https';
import { failureOfError } from '../../aws/aws-errors.js';
import type { AwsFailure } from '../../aws/aws-errors.js';
import type { AwsCredentials } from '../../aws/credentials.js';
import { failureOfHttpAnswer } from '../../aws/http-answer.js';
import { signRequest } from '../../aws/sigv4.js';

const maxBodyBytes = 16_384;

/** Options of {@link tryPutMedia}. */
export interface TryPutMediaOptions {
  /** The stream's PUT_MEDIA data endpoint. */
  readonly endpoint: URL;
  readonly region: string;
  readonly streamName: string;
  readonly credentials: AwsCredentials;
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/** @returns why KVS refused it; undefined when it did not */
export async function tryPutMedia({
  endpoint,
  region,
  streamName,
  credentials,
  ca,
  signal,
}: TryPutMediaOptions): Promise<AwsFailure | undefined> {
  const url = new URL(`${endpoint.href.replace(/\/+$/, '')}/putMedia`);
  const headers = await signRequest({
    method: 'POST',
    url,
    headers: {
      'transfer-encoding': 'chunked',
      'x-amzn-stream-name': streamName,
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
      'x-amzn-producer-start-timestamp': (Date.now() / 1000).toFixed(3),
      'x-amzn-fragment-acknowledgment-required': '1',
    },
    region,
    credentials,
  });
  return new Promise((resolve) => {
    const { request: open } = url.protocol === 'https:' ? https : http;
    const options = { method: 'POST', headers, agent: false, signal };
    const request = open(url, { ...options, ...(ca === undefined ? {} : { ca }) }, (answer) => {
      if (answer.statusCode === 200) {
        request.destroy();
        resolve(undefined);
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        const errorType = answer.headers['x-amzn-errortype'];
        const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
        const type = Array.isArray(errorType) ? errorType[0] : errorType;
        resolve(failureOfHttpAnswer(answer.statusCode ?? 0, type, body));
        request.destroy();
      };
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= maxBodyBytes) finish();
      });
      answer.on('close', finish);
      answer.on('error', () => undefined);
    });
    request.on('error', (error) => {
      resolve(failureOfError(error));
    });
    request.end();
  });
}
