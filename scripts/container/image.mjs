/** The image that was built, to start containers of. */
import { readFileSync } from 'node:fs';
import { inProject } from '../setup/paths.mjs';
import { finishedRoot, runSettings } from './build.mjs';
import { parseDockerfile, settingsOf } from './dockerfile.mjs';
import { RunningContainer } from './running.mjs';

const stages = parseDockerfile(readFileSync(inProject('Dockerfile'), 'utf8'));

/** What its containers start with. */
export const image = settingsOf(stages, stages.at(-1));

/**
 * Starts `docker run --read-only <image> <args>`.
 *
 * @param {readonly string[]} args of kvs-bridge
 * @param {{ volume?: string }} [options] `volume`: its name, by default one that all share
 * @returns {RunningContainer}
 */
export function runImage(args, { volume } = {}) {
  const command = [...image.entrypoint, ...args];
  return new RunningContainer(finishedRoot, runSettings(image, volume), command);
}

/**
 * Runs a program of the image beside the bridge, in a container of its own on the same network.
 *
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string> }} [options]
 * @returns {Promise<{ exitCode: number | null, lines: string[] }>}
 */
export async function runProgram(command, { env = {} } = {}) {
  const settings = runSettings(image, 'programs');
  const container = new RunningContainer(
    finishedRoot,
    { ...settings, env: { ...settings.env, ...env } },
    command,
  );
  return { exitCode: await container.ended(), lines: container.lines };
}
