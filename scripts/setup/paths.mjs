import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, without a trailing slash. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * @param {...string} segments
 * @returns {string} an absolute path inside the project
 */
export function inProject(...segments) {
  return path.join(projectRoot, ...segments);
}
