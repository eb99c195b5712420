/**
 * The list of a stream's fragments on disk: lines that are only ever appended, each with its own
 * checksum. A line that a crash cut off is dropped; one that rotted is left out.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { writeFileAtomically } from './atomic-file.js';
import { compareNumbers } from './fragment.js';
import type { Fragment } from './fragment.js';

/** A fragment with the checksum of its file. */
export interface IndexedFragment extends Fragment {
  readonly crc32: number;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const number = v.pipe(v.string(), v.regex(/^\d{1,128}$/));
const entrySchema = v.union([
  v.object({
    number,
    serverTimestampMs: v.number(),
    producerTimestampMs: v.number(),
    durationMs: v.number(),
    sizeBytes: count,
    clusterOffset: count,
    crc32: count,
  }),
  /** Every fragment up to this one is gone. */
  v.object({ trimmedTo: number }),
]);
type Entry = v.InferOutput<typeof entrySchema>;

/** What {@link FragmentIndex.open} found. */
export interface OpenedIndex {
  readonly index: FragmentIndex;
  /** In order of their numbers. */
  readonly fragments: IndexedFragment[];
  /** Lines that could not be read. */
  readonly damagedLines: number;
}

export class FragmentIndex {
  readonly #file: FileHandle;
  /** End of the last whole line. */
  #size: number;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Opens the index, made when missing, and leaves a clean file behind. */
  static async open(path: string): Promise<OpenedIndex> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    const { fragments, damagedLines } = replay(text);
    const clean = fragments.map((fragment) => lineOf(fragment)).join('');
    if (clean !== text) await writeFileAtomically(path, clean);
    const file = await open(path, 'a');
    return {
      index: new FragmentIndex(file, Buffer.byteLength(clean)),
      fragments,
      damagedLines,
    };
  }

  /** Adds a fragment; on disk when the promise resolves. */
  async add(fragment: IndexedFragment): Promise<void> {
    await this.#append(lineOf(fragment));
  }

  /** Drops the fragments up to and including this number. */
  async trim(trimmedTo: string): Promise<void> {
    await this.#append(lineOf({ trimmedTo }));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #append(line: string): Promise<void> {
    try {
      await this.#file.appendFile(line);
      await this.#file.datasync();
      this.#size += Buffer.byteLength(line);
    } catch (error) {
      // Half a line must not be what the next one is appended to.
      await this.#file.truncate(this.#size);
      throw error;
    }
  }
}

function lineOf(entry: Entry): string {
  const json = JSON.stringify(entry);
  return `${checksum(json)} ${json}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function replay(text: string): { fragments: IndexedFragment[]; damagedLines: number } {
  const byNumber = new Map<string, IndexedFragment>();
  let damagedLines = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const entry = parseLine(line);
    if (entry === undefined) {
      damagedLines += 1;
    } else if ('trimmedTo' in entry) {
      for (const key of byNumber.keys()) {
        if (compareNumbers(key, entry.trimmedTo) <= 0) byNumber.delete(key);
      }
    } else {
      byNumber.set(entry.number, entry);
    }
  }
  const fragments = [...byNumber.values()].sort((a, b) => compareNumbers(a.number, b.number));
  return { fragments, damagedLines };
}

function parseLine(line: string): Entry | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || checksum(json) !== line.slice(0, 8)) return undefined;
  const result = v.safeParse(entrySchema, parseJson(json));
  return result.success ? result.output : undefined;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
