/** Finds the browser for the browser tests. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Names of Debian's package and of Google's; Ubuntu's `chromium` is a snap and does not serve. */
const names = ['chromium', 'google-chrome-stable', 'google-chrome'];

/**
 * @returns {string | undefined} the executable; KVSB_CHROMIUM decides when it is set
 */
export function findChromium() {
  if (process.env.KVSB_CHROMIUM !== undefined) return process.env.KVSB_CHROMIUM;
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '/snap/bin')
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
    .find(isExecutable);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
