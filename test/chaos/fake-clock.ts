/** A wall clock of the bridge's own, where libfaketime is installed. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const libraries = '/usr/lib';

function findLibrary(): string | undefined {
  const folders = readdirSync(libraries).map((name) => join(libraries, name, 'faketime'));
  return folders
    .map((folder) => join(folder, 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}

export class FakeClock {
  readonly #library = findLibrary();
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    this.step(0);
  }

  /** Why there is none. */
  get missing(): string | undefined {
    return this.#library === undefined ? 'libfaketime is not installed' : undefined;
  }

  /** What a process needs to have this clock. Time that only measures durations stays real. */
  get environment(): Readonly<Record<string, string>> {
    if (this.#library === undefined) return {};
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: '1',
    };
  }

  /** By how many seconds the clock is off from now on. */
  step(offsetSeconds: number): void {
    const sign = offsetSeconds < 0 ? '' : '+';
    writeFileSync(this.#file, `${sign}${String(offsetSeconds)}\n`);
  }
}
