/** A folder of one media process for what nobody else may read: the credential file, the log. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { kvsSinkEnvironment } from './environment.js';
import type { KvsSinkPlace } from './environment.js';

const prefix = 'kvs-bridge-kvssink-';

/** A new name, which tells which process owns the folder. Nothing is made. */
export function privateFolderName(parent = tmpdir()): string {
  return join(parent, `${prefix}${ownerOf(process.pid) ?? '0-0'}-${randomUUID()}`);
}

/**
 * Makes the folder, which only this user can enter (0700), and removes what killed processes left
 * beside it.
 *
 * @param ca - PEM of the authority that kvssink is to trust, if any
 * @throws {@link Error} (`EEXIST`) when it is there, as it may be somebody else's
 */
export function makePrivateFolder(folder: string, ca?: string): void {
  sweepPrivateFolders(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
  if (ca !== undefined) writeFileSync(authorityFile(folder), ca, { mode: 0o600 });
}

function authorityFile(folder: string): string {
  return join(folder, 'ca.pem');
}

/** Removes the folder and all in it; one that is gone is no error. */
function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes what earlier processes of this user left behind when they were killed.
 *
 * @returns how many folders were removed
 */
export function sweepPrivateFolders(parent = tmpdir()): number {
  const stale = readdirSync(parent).filter((name) => {
    const [, owner, pid] = new RegExp(`^${prefix}((\\d+)-\\d+)-`).exec(name) ?? [];
    return owner !== undefined && ownerOf(Number(pid)) !== owner && isOurs(join(parent, name));
  });
  for (const name of stale) removePrivateFolder(join(parent, name));
  return stale.length;
}

/**
 * A process by its pid and when it started (proc_pid_stat(5), field 22): a container that starts
 * anew on the same volume gives out the same pids.
 */
function ownerOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name of the program stands in brackets and may hold anything.
    const [, start] = /^.*\)(?: \S+){19} (\d+) /s.exec(stat) ?? [];
    return start === undefined ? undefined : `${String(pid)}-${start}`;
  } catch {
    return undefined;
  }
}

function isOurs(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

/**
 * The folder of one media process, from its parent's side: named before the process starts, made by
 * it if it stores with kvssink, removed after it.
 */
export class KvsSinkFolder {
  /** What the media process needs in its environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly path = privateFolderName();

  constructor(place: KvsSinkPlace) {
    this.environment = kvsSinkEnvironment(
      place,
      place.ca === undefined ? undefined : authorityFile(this.path),
    );
  }

  remove(): void {
    removePrivateFolder(this.path);
  }
}
