/** A folder of one media process for what nobody else may read: the credential file, the log. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kvsSinkEnvironment } from './environment.js';
import type { KvsSinkPlace } from './environment.js';

const prefix = 'kvs-bridge-kvssink-';

/** Makes a folder that only this user can enter (0700); its name tells which process owns it. */
export function makePrivateFolder(parent = tmpdir()): string {
  return mkdtempSync(join(parent, `${prefix}${String(process.pid)}-`));
}

/** Removes the folder and all in it; one that is gone is no error. */
export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes what earlier processes of this user left behind when they were killed.
 *
 * @returns how many folders were removed
 */
export function sweepPrivateFolders(parent = tmpdir()): number {
  const stale = readdirSync(parent).filter((name) => {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    return owner !== undefined && !isAlive(Number(owner)) && isOurs(join(parent, name));
  });
  for (const name of stale) removePrivateFolder(join(parent, name));
  return stale.length;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isOurs(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

/** The folder of one media process, from its parent's side: made before it, removed after it. */
export class KvsSinkFolder {
  /** What the media process needs in its environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly path: string;

  /** Removes what killed processes left behind, too. */
  constructor(place: KvsSinkPlace) {
    sweepPrivateFolders();
    this.path = makePrivateFolder();
    const caFile = place.ca === undefined ? undefined : join(this.path, 'ca.pem');
    if (caFile !== undefined) writeFileSync(caFile, place.ca ?? '', { mode: 0o600 });
    this.environment = kvsSinkEnvironment(place, caFile);
  }

  remove(): void {
    removePrivateFolder(this.path);
  }
}
