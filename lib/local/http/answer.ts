/** Writes answers, good and bad, in the form of AWS's JSON services. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ServiceError } from './service-error.js';

/** Headers that let pages of any origin call, as the real service does. */
export const corsHeaders: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'x-amzn-RequestId,x-amzn-ErrorType,Date',
};

/** Headers of every answer. */
export function commonHeaders(): Record<string, string> {
  return { ...corsHeaders, 'x-amzn-RequestId': randomUUID() };
}

/** The parts of an error's answer. AWS's SDKs know two header names and two spellings inside. */
export function errorAnswer(error: ServiceError): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const body = JSON.stringify({
    __type: error.type,
    Message: error.message,
    message: error.message,
  });
  return {
    headers: {
      ...commonHeaders(),
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'x-amzn-ErrorType': error.type,
      'x-amz-ErrorType': error.type,
    },
    body,
  };
}

/** Ends a response with an error. */
export function sendError(response: ServerResponse, error: ServiceError): void {
  const { headers, body } = errorAnswer(error);
  response.writeHead(error.status, headers).end(body);
}

/** Ends a response with a JSON document; `undefined` is an empty object. */
export function sendJson(response: ServerResponse, document: unknown): void {
  const body = JSON.stringify(document ?? {});
  response
    .writeHead(200, {
      ...commonHeaders(),
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
    })
    .end(body);
}
