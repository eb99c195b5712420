/** Where a Bridge keeps what has to outlive it: media on its way, and the ledger. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder that holds a folder for each stream.
 *
 * @param spoolDir - what the user asked for
 * @param env - by default this process's
 * @returns an absolute path: `spoolDir`, else `$STATE_DIRECTORY` (the first of it; systemd sets it
 * for units with `StateDirectory=`), else `$XDG_STATE_HOME/kvs-bridge` (XDG base directories 0.8:
 * a relative one is ignored), else `~/.local/state/kvs-bridge`
 */
export function spoolRoot(
  spoolDir: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (spoolDir !== undefined) return resolve(spoolDir);
  const [stateDirectory = ''] = (env['STATE_DIRECTORY'] ?? '').split(':');
  if (stateDirectory !== '') return resolve(stateDirectory);
  const xdgStateHome = env['XDG_STATE_HOME'] ?? '';
  const stateHome = xdgStateHome.startsWith('/')
    ? xdgStateHome
    : join(homedir(), '.local', 'state');
  return join(stateHome, 'kvs-bridge');
}

/** The folder of one stream; its name is one that KVS takes, or the folder is never made. */
export function streamFolder(root: string, stream: string): string {
  // The names `.` and `..` are fine for KVS, and not for a file system.
  return join(root, /^\.+$/.test(stream) ? `_${stream}` : stream);
}

/**
 * The folder of one stream's fragments. Streams of one name in two regions, or in AWS and in a local
 * KVS, must never get each other's media.
 *
 * @param dataEndpoint - the stream's PUT_MEDIA endpoint; only its host counts, and of AWS's own hosts,
 * which change, the region
 */
export function fragmentFolder(
  root: string,
  stream: { readonly streamName: string; readonly region: string; readonly dataEndpoint: string },
): string {
  const { hostname } = new URL(stream.dataEndpoint);
  const isAws = /\.amazonaws\.com(?:\.cn)?$/.test(hostname);
  const place = isAws ? stream.region : hostname.replaceAll(/[^\w.-]/g, '_');
  return join(streamFolder(root, stream.streamName), place);
}
