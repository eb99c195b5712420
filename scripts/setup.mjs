/**
 * Makes the project ready to run: system packages, npm packages, the addon, the TypeScript. Works
 * on a fresh clone with nothing but Node and npm, and is quick when there is nothing to do.
 */
import { ensureSystemPackages } from './setup/apt.mjs';
import {
  ensureAddon,
  ensureNodeModules,
  ensureNodeVersion,
  ensureTypeScript,
} from './setup/project.mjs';

/**
 * @param {import('./setup/packages.mjs').Profile} profile
 * @throws {import('./setup/setup-error.mjs').SetupError}
 */
export async function setUp(profile) {
  await setUpTools(profile);
  await ensureAddon();
  await ensureTypeScript();
}

/**
 * System and npm packages only, nothing is built.
 *
 * @param {import('./setup/packages.mjs').Profile} profile
 * @throws {import('./setup/setup-error.mjs').SetupError}
 */
export async function setUpTools(profile) {
  ensureNodeVersion();
  if (process.env.KVSB_SKIP_SYSTEM_PACKAGES === undefined) await ensureSystemPackages(profile);
  await ensureNodeModules();
}
