/** Reads the acknowledgements that PutMedia streams back: flat JSON objects, one after the other. */
import * as v from 'valibot';
import { redact } from '../util/redact.js';
import { ackErrorIdOf } from './ack-errors.js';

/** A fragment made progress. */
export interface FragmentAck {
  readonly type: 'buffering' | 'persisted' | 'received';
  /** The raw Cluster timecode: ms since the epoch. */
  readonly timecodeMs: number;
  /** Decimal string beyond 2^53. */
  readonly fragmentNumber: string | undefined;
}

/** KVS refuses to go on; it ends the connection next. */
export interface ErrorAck {
  readonly type: 'error';
  /** 0 when the acknowledgement carried none that is known. */
  readonly errorId: number;
  /** ErrorCode as sent, shortened; undefined when absent. */
  readonly errorCode: string | undefined;
  /** Undefined when KVS could not tell: it sends -1 or 0 then. */
  readonly timecodeMs: number | undefined;
}

/** KVS waits for data. */
export interface IdleAck {
  readonly type: 'idle';
}

/** Something that is no acknowledgement, or none that we know. */
export interface IgnoredAck {
  readonly type: 'ignored';
  /** What was wrong with it; carries nothing of the content but a shortened EventType. */
  readonly reason: string;
}

/** One acknowledgement. */
export type Ack = ErrorAck | FragmentAck | IdleAck | IgnoredAck;

const shortText = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 128)),
);

/** Unusable optional members count as absent: what counts is the event and its timecode. */
const ackSchema = v.object({
  EventType: shortText,
  FragmentTimecode: v.fallback(v.optional(v.pipe(v.number(), v.safeInteger())), undefined),
  FragmentNumber: v.fallback(v.optional(v.pipe(v.string(), v.regex(/^\d{1,128}$/))), undefined),
  ErrorId: v.fallback(v.optional(v.pipe(v.number(), v.safeInteger())), undefined),
  ErrorCode: v.fallback(v.optional(shortText), undefined),
});

const fragmentAckTypes = new Map<string, FragmentAck['type']>([
  ['BUFFERING', 'buffering'],
  ['RECEIVED', 'received'],
  ['PERSISTED', 'persisted'],
]);

/** Longest acknowledgement that is read; real ones have some 150 characters. */
const maxAckLength = 4096;
/** Acknowledgements are flat; a little more is tolerated as an unknown member. */
const maxDepth = 4;

/**
 * Incremental reader of acknowledgements. Input may be split anywhere; objects may be separated by
 * newlines or by nothing. Whatever is not an object is skipped, whatever is broken is reported as
 * `ignored`, and reading resumes behind it. Memory is bounded.
 */
export class AckParser {
  readonly #decoder = new TextDecoder();
  #text = '';
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Takes the next bytes and returns the acknowledgements they complete. */
  push(bytes: Uint8Array): Ack[] {
    const acks: Ack[] = [];
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      if (this.#depth === 0) {
        if (character === '{') this.#begin();
        continue;
      }
      this.#text += character;
      const problem = this.#scan(character);
      if (problem !== undefined) {
        acks.push({ type: 'ignored', reason: problem });
        this.#reset();
      } else if (this.#depth === 0) {
        acks.push(readAck(this.#text));
        this.#reset();
      }
    }
    return acks;
  }

  /** Follows strings and braces; returns what makes the text unreadable, if something does. */
  #scan(character: string): string | undefined {
    if (this.#text.length > maxAckLength) return `longer than ${String(maxAckLength)} characters`;
    if (this.#inString) {
      // JSON forbids a raw newline in a string: here a quote is missing, and the line is lost.
      if (character === '\n') return 'newline within a string';
      if (this.#escaped) this.#escaped = false;
      else if (character === '\\') this.#escaped = true;
      else if (character === '"') this.#inString = false;
      return undefined;
    }
    if (character === '"') this.#inString = true;
    else if (character === '{') this.#depth += 1;
    else if (character === '}') this.#depth -= 1;
    return this.#depth > maxDepth ? 'nested too deeply' : undefined;
  }

  #begin(): void {
    this.#text = '{';
    this.#depth = 1;
  }

  #reset(): void {
    this.#text = '';
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
  }
}

function readAck(text: string): Ack {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { type: 'ignored', reason: 'not JSON' };
  }
  const result = v.safeParse(ackSchema, value);
  if (!result.success) return { type: 'ignored', reason: 'no EventType' };
  return narrow(result.output);
}

function narrow(wire: v.InferOutput<typeof ackSchema>): Ack {
  const { EventType: eventType, FragmentTimecode: timecode, ErrorCode: errorCode } = wire;
  if (eventType === 'IDLE') return { type: 'idle' };
  if (eventType === 'ERROR') {
    return {
      type: 'error',
      errorId: wire.ErrorId ?? ackErrorIdOf(errorCode ?? '') ?? 0,
      errorCode,
      // Captured from AWS: 0 and -1 where no fragment could be named.
      timecodeMs: timecode !== undefined && timecode > 0 ? timecode : undefined,
    };
  }
  const type = fragmentAckTypes.get(eventType);
  if (type === undefined) {
    return { type: 'ignored', reason: `unknown EventType ${JSON.stringify(redact(eventType))}` };
  }
  if (timecode === undefined || timecode < 0) {
    return { type: 'ignored', reason: `${eventType} without a FragmentTimecode` };
  }
  return { type, timecodeMs: timecode, fragmentNumber: wire.FragmentNumber };
}
