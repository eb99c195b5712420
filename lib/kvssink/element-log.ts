/**
 * The element's own log: kept from stdout, where it would print tokens, in a private file of bounded
 * size, and read back from there. It is the only place where the element tells of refused requests
 * and dropped frames.
 */
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '../util/redact.js';

/** Size at which log4cplus begins the file anew; it takes no less than 200 KB. */
const maxFileSize = '1MB';

/** Most that is read at once; what is older than that is skipped. */
const maxReadBytes = 256 * 1024;

/** Writes the configuration. @returns its path, for the `log-config` property */
export function writeLogConfig(folder: string): string {
  const path = join(folder, 'log4cplus.properties');
  const lines = [
    'log4cplus.rootLogger=WARN, FILE',
    'log4cplus.appender.FILE=log4cplus::RollingFileAppender',
    `log4cplus.appender.FILE.File=${logFile(folder)}`,
    `log4cplus.appender.FILE.MaxFileSize=${maxFileSize}`,
    'log4cplus.appender.FILE.MaxBackupIndex=1',
    'log4cplus.appender.FILE.layout=log4cplus::PatternLayout',
    'log4cplus.appender.FILE.layout.ConversionPattern=%p %m%n',
    '',
  ];
  writeFileSync(path, lines.join('\n'), { mode: 0o600 });
  return path;
}

function logFile(folder: string): string {
  return join(folder, 'kvssink.log');
}

/** Reads what the element wrote since the last time. */
export class ElementLog {
  readonly #path: string;
  #offset = 0;
  #rest = '';

  constructor(folder: string) {
    this.#path = logFile(folder);
  }

  /** New lines, redacted. */
  read(): string[] {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.#offset) this.#offset = 0;
    const from = Math.max(this.#offset, size - maxReadBytes);
    if (size === from) return [];
    const bytes = Buffer.alloc(size - from);
    const file = openSync(this.#path, 'r');
    const length = readSync(file, bytes, 0, bytes.length, from);
    closeSync(file);
    this.#offset = from + length;
    const lines = (this.#rest + bytes.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '').map(redact);
  }
}
