/** Reads a ledger file as it is: torn at the end, or with lines that are none. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { spoolRoot, streamFolder } from '../spool/place.js';
import { parseLedgerLine } from './ledger-lines.js';
import type { LedgerLine } from './ledger-lines.js';

/** Larger than any ledger: what is behind is not read, in bytes. */
const maxBytes = 64 * 1024 * 1024;

/** What a ledger file holds. */
export interface LedgerContents {
  readonly lines: readonly LedgerLine[];
  /** Lines that are none of a ledger, without the one that a crash left unfinished. */
  readonly corrupt: readonly string[];
  /** The last line has no end: it is still being written, or never will be. */
  readonly isTorn: boolean;
  /** What was read. */
  readonly bytes: number;
  /** The file's number in its file system: another one has taken its place when that changes. */
  readonly inode: bigint;
}

/** The ledger file of a stream. */
export function ledgerPath(spoolDir: string | undefined, stream: string): string {
  return join(streamFolder(spoolRoot(spoolDir), stream), 'ledger.jsonl');
}

/** Reads a ledger file. @returns undefined when there is none @throws when it cannot be read */
export async function readLedgerFile(path: string): Promise<LedgerContents | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { ino: inode, size } = await file.stat({ bigint: true });
    const buffer = Buffer.alloc(Math.min(Number(size), maxBytes));
    let bytes = 0;
    while (bytes < buffer.length) {
      const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    return { ...parse(buffer.toString('utf8', 0, bytes)), bytes, inode };
  } finally {
    await file.close();
  }
}

function parse(text: string): Pick<LedgerContents, 'lines' | 'corrupt' | 'isTorn'> {
  const texts = text.split('\n');
  const rest = texts.pop() ?? '';
  const lines: LedgerLine[] = [];
  const corrupt: string[] = [];
  for (const lineText of texts) {
    if (lineText === '') continue;
    const line = parseLedgerLine(lineText);
    if (line === undefined) corrupt.push(lineText);
    else lines.push(line);
  }
  return { lines, corrupt, isTorn: rest !== '' };
}
