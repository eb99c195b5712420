/** Tells whether a build's inputs changed since it was made. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inProject, projectRoot } from './paths.mjs';

/**
 * @param {string} folder relative to the project
 * @param {RegExp} pattern of file names
 * @returns {string[]} paths relative to the project, sorted; none when the folder does not exist
 */
export function listFiles(folder, pattern) {
  let entries;
  try {
    entries = readdirSync(inProject(folder), { withFileTypes: true, recursive: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(projectRoot, path.join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * A digest of the files' names, sizes and modification times. It changes when a file appears,
 * vanishes or is written to; the contents are not read, to stay quick.
 *
 * @param {readonly string[]} files relative to the project; missing ones count as such
 * @param {readonly string[]} [settings] other things that the build depends on
 * @returns {string}
 */
export function fingerprint(files, settings = []) {
  const hash = createHash('sha256');
  for (const setting of settings) hash.update(`${setting}\0`);
  for (const file of files) {
    const info = statSync(inProject(file), { throwIfNoEntry: false });
    hash.update(`${file}\0${info?.size}\0${info?.mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} stampFile relative to the project
 * @param {string} expected
 * @returns {boolean}
 */
export function isStamped(stampFile, expected) {
  try {
    return readFileSync(inProject(stampFile), 'utf8') === expected;
  } catch {
    return false;
  }
}

/**
 * @param {string} stampFile relative to the project
 * @param {string} value
 */
export function writeStamp(stampFile, value) {
  mkdirSync(path.dirname(inProject(stampFile)), { recursive: true });
  writeFileSync(inProject(stampFile), value);
}
