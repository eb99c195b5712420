/**
 * The file of one fragment. Pure: bytes in, bytes out.
 *
 * Eight bytes of magic with the version, then records: length of the payload and CRC-32 of kind and
 * payload (both 32 bits, little endian), kind, payload. First `head` (JSON) and `header` (the epoch's
 * Matroska header), then `media`, one for each write of the producer, each made of whole elements; last
 * `end`, without which the fragment was still growing. What follows the first record that is cut off
 * or damaged does not count.
 */
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import type { FragmentTotals } from '../putmedia/media-sink.js';

const magic = Buffer.from('KVSBFRG\u0001', 'latin1');
const recordHeadBytes = 9;
/** KVS takes fragments of 50 MB; one write is a frame or a few. */
const maxPayloadBytes = 64 * 1024 * 1024;

const RecordKind = { head: 1, header: 2, media: 3, end: 4 } as const;
type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

const endPayloadBytes = 12;

/** Bytes of an `end` record, which stands last in a complete file. */
export const endRecordBytes = recordHeadBytes + endPayloadBytes;

const headSchema = v.object({
  streamName: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  timecodeMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The session that received it, as its ledger names it; absent without one. */
  owner: v.exactOptional(
    v.object({
      run: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
      session: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    }),
  ),
});

/** What a fragment is. */
export type FragmentHead = Readonly<v.InferOutput<typeof headSchema>>;

/** What was found in a file. */
export interface FragmentContent {
  readonly head: FragmentHead;
  /** EBML header to Tracks of its epoch. */
  readonly header: Buffer;
  readonly media: readonly Buffer[];
  /** Undefined when the fragment never ended, or its end is cut off. */
  readonly totals: FragmentTotals | undefined;
}

/** How a file begins. */
export function encodeStart(head: FragmentHead, header: Uint8Array): Buffer {
  return Buffer.concat([
    magic,
    encodeRecord(RecordKind.head, Buffer.from(JSON.stringify(head))),
    encodeRecord(RecordKind.header, header),
  ]);
}

/** One write of the producer. */
export function encodeMedia(bytes: Uint8Array): Buffer {
  return encodeRecord(RecordKind.media, bytes);
}

/** How a complete file ends. */
export function encodeEnd({ durationMs, videoFrames, audioFrames }: FragmentTotals): Buffer {
  const payload = Buffer.alloc(endPayloadBytes);
  payload.writeUInt32LE(Math.max(0, Math.round(durationMs)), 0);
  payload.writeUInt32LE(videoFrames, 4);
  payload.writeUInt32LE(audioFrames, 8);
  return encodeRecord(RecordKind.end, payload);
}

/** The totals in the last {@link endRecordBytes} of a file; undefined when they are no end. */
export function decodeEnd(bytes: Buffer): FragmentTotals | undefined {
  const record = readRecord(bytes, 0);
  return record?.kind === RecordKind.end && record.nextOffset === bytes.length
    ? readTotals(record.payload)
    : undefined;
}

/**
 * Reads a file, or its beginning.
 *
 * @returns undefined when not even head and header are there
 */
export function decodeFragment(bytes: Buffer): FragmentContent | undefined {
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const first = readRecord(bytes, magic.length);
  const head = first?.kind === RecordKind.head ? readHead(first.payload) : undefined;
  if (first === undefined || head === undefined) return undefined;
  const second = readRecord(bytes, first.nextOffset);
  if (second?.kind !== RecordKind.header) return undefined;
  const media: Buffer[] = [];
  for (let offset = second.nextOffset; ;) {
    const record = readRecord(bytes, offset);
    if (record?.kind === RecordKind.end) {
      return { head, header: second.payload, media, totals: readTotals(record.payload) };
    }
    if (record?.kind !== RecordKind.media) {
      return { head, header: second.payload, media, totals: undefined };
    }
    media.push(record.payload);
    offset = record.nextOffset;
  }
}

/** True for a file that ends before its first media, and so holds none. */
export function isCutBeforeMedia(bytes: Buffer): boolean {
  const begin = bytes.subarray(0, magic.length);
  if (!begin.equals(magic.subarray(0, begin.length))) return false;
  let offset = magic.length;
  for (const kind of [RecordKind.head, RecordKind.header]) {
    if (offset + recordHeadBytes > bytes.length) return true;
    if (bytes.readUInt8(offset + 8) !== kind) return false;
    if (offset + recordHeadBytes + bytes.readUInt32LE(offset) > bytes.length) return true;
    const record = readRecord(bytes, offset);
    if (record === undefined) return false;
    offset = record.nextOffset;
  }
  return offset === bytes.length;
}

function encodeRecord(kind: RecordKind, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(recordHeadBytes);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(checksum(kind, payload), 4);
  head.writeUInt8(kind, 8);
  return Buffer.concat([head, payload]);
}

/** The record at `offset`; undefined when it is cut off, damaged or none. */
function readRecord(
  bytes: Buffer,
  offset: number,
): { readonly kind: number; readonly payload: Buffer; readonly nextOffset: number } | undefined {
  const begin = offset + recordHeadBytes;
  if (begin > bytes.length) return undefined;
  const length = bytes.readUInt32LE(offset);
  const nextOffset = begin + length;
  if (length > maxPayloadBytes || nextOffset > bytes.length) return undefined;
  const kind = bytes.readUInt8(offset + 8);
  const payload = bytes.subarray(begin, nextOffset);
  if (bytes.readUInt32LE(offset + 4) !== checksum(kind, payload)) return undefined;
  return { kind, payload, nextOffset };
}

function checksum(kind: number, payload: Uint8Array): number {
  return crc32(payload, crc32(Uint8Array.of(kind)));
}

function readHead(payload: Buffer): FragmentHead | undefined {
  try {
    const result = v.safeParse(headSchema, JSON.parse(payload.toString('utf8')));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function readTotals(payload: Buffer): FragmentTotals | undefined {
  if (payload.length !== endPayloadBytes) return undefined;
  return {
    durationMs: payload.readUInt32LE(0),
    videoFrames: payload.readUInt32LE(4),
    audioFrames: payload.readUInt32LE(8),
  };
}
