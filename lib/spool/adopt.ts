/** Reads what sinks left behind that ended before everything was stored. */
import { mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Leftovers, LeftoverFragment, StoredFragment } from '../putmedia/fragment-spool.js';
import type { FragmentOwner, FragmentTotals } from '../putmedia/media-sink.js';
import { countFrames } from './count-frames.js';
import { decodeEnd, decodeFragment, endRecordBytes, isCutBeforeMedia } from './fragment-format.js';
import type { FragmentHead } from './fragment-format.js';
import { parseFragmentFileName } from './fragment-name.js';
import type { FragmentName } from './fragment-name.js';
import { SpooledFragment } from './spooled-fragment.js';
import type { SpooledFragmentListener } from './spooled-fragment.js';
import type { SpoolFolder } from './spool-folder.js';

/** Head and header fit in this; the header of an epoch has less than a kilobyte. */
const startBytes = 16 * 1024;
const maxDamagedFiles = 32;
const damagedFolder = 'damaged';

/** A file that is a fragment. */
interface Found {
  readonly name: FragmentName;
  readonly bytes: number;
  readonly head: FragmentHead;
  readonly header: Buffer;
  readonly totals: FragmentTotals;
  readonly isStorable: boolean;
}

/** What was found of one epoch, by time. */
interface AdoptedEpoch {
  readonly epoch: number;
  readonly header: Buffer;
  readonly fragments: {
    readonly owner: FragmentOwner | undefined;
    readonly timecodeMs: number;
    readonly totals: FragmentTotals;
    readonly mayBeStored: boolean;
    readonly copy: SpooledFragment;
  }[];
}

/** A folder's content, with the files to be deleted by whoever stores them. */
export interface AdoptedFolder extends Leftovers {
  readonly copies: readonly SpooledFragment[];
  /** To be deleted once it is told that they are stored, by their numbers. */
  readonly storedCopies: ReadonlyMap<SpooledFragment, string>;
}

/**
 * Reads a folder whose owner is gone. Whatever is in it, it never throws for that; only a file that
 * never ended is read whole.
 */
export async function adopt(
  folder: SpoolFolder,
  listener: SpooledFragmentListener,
): Promise<AdoptedFolder> {
  const found: Found[] = [];
  const stored: StoredFragment[] = [];
  const storedCopies = new Map<SpooledFragment, string>();
  const lost: LeftoverFragment[] = [];
  const damaged: string[] = [];
  for (const fileName of await folder.list()) {
    const name = parseFragmentFileName(fileName);
    const path = join(folder.path, fileName);
    const file = name && (await inspect(path, name).catch(() => undefined));
    if (file === undefined) {
      damaged.push(fileName);
    } else if (file === 'empty') {
      await unlink(path).catch(() => undefined);
    } else if (file.name.fragmentNumber !== undefined) {
      const { bytes, head, totals } = file;
      const { fragmentNumber } = file.name;
      stored.push({ ...placeOf(head), totals, bytes, fragmentNumber });
      const copy = SpooledFragment.existing(folder.path, file.name, 0, listener);
      storedCopies.set(copy, fragmentNumber);
    } else if (file.isStorable) {
      found.push(file);
    } else {
      const { head, totals } = file;
      if (totals.videoFrames + totals.audioFrames > 0) lost.push({ ...placeOf(head), totals });
      await unlink(path).catch(() => undefined);
    }
  }
  await setAside(folder, damaged);
  const epochs = groupByEpoch(found, folder, listener);
  const copies = epochs.flatMap(({ fragments }) => fragments.map(({ copy }) => copy));
  return { epochs, lost, stored, damagedFiles: damaged.length, copies, storedCopies };
}

function groupByEpoch(
  found: readonly Found[],
  folder: SpoolFolder,
  listener: SpooledFragmentListener,
): AdoptedEpoch[] {
  const epochs: AdoptedEpoch[] = [];
  for (const { head, header, name, bytes, totals } of [...found].sort(byTime)) {
    const { owner, epoch, timecodeMs } = placeOf(head);
    const copy = SpooledFragment.existing(folder.path, name, bytes, listener);
    const mayBeStored = name.isSent || !folder.isOfThisBoot;
    const fragment = { owner, timecodeMs, totals, mayBeStored, copy };
    const last = epochs.at(-1);
    if (last?.epoch === epoch && last.header.equals(header)) last.fragments.push(fragment);
    else epochs.push({ epoch, header, fragments: [fragment] });
  }
  return epochs;
}

function placeOf({ epoch, timecodeMs, owner }: FragmentHead): Omit<LeftoverFragment, 'totals'> {
  return { epoch, timecodeMs, owner };
}

function byTime(a: Found, b: Found): number {
  return a.head.timecodeMs - b.head.timecodeMs;
}

/** @returns undefined when it is no fragment, or not the one that its name says */
async function inspect(path: string, name: FragmentName): Promise<Found | 'empty' | undefined> {
  const { size: bytes } = await stat(path);
  const { start, end } = await readEnds(path, bytes);
  const totals = decodeEnd(end);
  // A complete file is not read to its end: that is done, and checked, when it is sent.
  const read = totals === undefined ? await readFile(path) : start;
  if (isCutBeforeMedia(read)) return 'empty';
  const content = decodeFragment(read);
  if (content === undefined) return undefined;
  const { head, header, media } = content;
  if (head.timecodeMs !== name.timecodeMs || head.epoch !== name.epoch) return undefined;
  const common = { name, bytes, head, header };
  if (totals !== undefined) return { ...common, totals, isStorable: true };
  const count = countFrames(header, media);
  if (count === undefined) return undefined;
  const { isStorable, durationMs, videoFrames, audioFrames } = count;
  return { ...common, totals: { durationMs, videoFrames, audioFrames }, isStorable };
}

async function readEnds(path: string, size: number): Promise<{ start: Buffer; end: Buffer }> {
  const file = await open(path, 'r');
  try {
    const read = async (from: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
      return buffer.subarray(0, bytesRead);
    };
    return {
      start: await read(0, Math.min(size, startBytes)),
      end:
        size < endRecordBytes ? Buffer.alloc(0) : await read(size - endRecordBytes, endRecordBytes),
    };
  } finally {
    await file.close();
  }
}

/** Keeps the latest damaged files for people to look at, beside the folders. */
async function setAside(folder: SpoolFolder, fileNames: readonly string[]): Promise<void> {
  if (fileNames.length === 0) return;
  try {
    const aside = join(folder.path, '..', damagedFolder);
    await mkdir(aside, { recursive: true, mode: 0o700 });
    for (const name of fileNames) {
      await rename(join(folder.path, name), join(aside, `${basename(folder.path)}-${name}`));
    }
    const kept = (await readdir(aside)).sort();
    for (const name of kept.slice(0, -maxDamagedFiles)) await unlink(join(aside, name));
  } catch {
    // They stay where they are, and are found again.
  }
}
