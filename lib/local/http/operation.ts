/** One operation of the API: its path, its input, what it does. */
import type { ServerResponse } from 'node:http';
import * as v from 'valibot';
import { invalidArgument } from './service-error.js';

/** The connection that a call came over. */
export interface CallContext {
  /** Came over TLS: URLs in the answer are then https and wss. */
  readonly isSecure: boolean;
  /** Aborts when the caller is gone or the server stops. */
  readonly signal: AbortSignal;
}

interface OperationHead {
  /** As AWS names it. */
  readonly name: string;
  readonly path: string;
}

/** Answers a JSON document. */
export interface JsonOperation extends OperationHead {
  readonly kind: 'json';
  readonly run: (body: unknown, context: CallContext) => unknown;
}

/** Takes a JSON document and writes the response itself. */
export interface MediaOperation extends OperationHead {
  readonly kind: 'media';
  /** What it throws before the first byte becomes an error answer. */
  readonly run: (body: unknown, response: ServerResponse, context: CallContext) => Promise<void>;
}

/** One of the operations that take JSON. */
export type Operation = JsonOperation | MediaOperation;

/** Makes a {@link JsonOperation} whose input is checked against `schema`. */
export function jsonOperation<TSchema extends v.GenericSchema>(
  name: string,
  path: string,
  schema: TSchema,
  run: (input: v.InferOutput<TSchema>, context: CallContext) => unknown,
): JsonOperation {
  return { kind: 'json', name, path, run: (body, context) => run(checked(schema, body), context) };
}

/** Makes a {@link MediaOperation} whose input is checked against `schema`. */
export function mediaOperation<TSchema extends v.GenericSchema>(
  name: string,
  path: string,
  schema: TSchema,
  run: (
    input: v.InferOutput<TSchema>,
    response: ServerResponse,
    context: CallContext,
  ) => Promise<void>,
): MediaOperation {
  return {
    kind: 'media',
    name,
    path,
    run: async (body, response, context) => run(checked(schema, body), response, context),
  };
}

function checked<TSchema extends v.GenericSchema>(
  schema: TSchema,
  body: unknown,
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, withoutNulls(body));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidArgument(`${v.getDotPath(issue) ?? 'The body'}: ${issue.message}`);
}

/** AWS's services take a null member for one that is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}
