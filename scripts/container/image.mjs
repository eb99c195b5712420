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
 * @param {{ env?: Record<string, string>, tmp?: boolean, volume?: string }} [options] `tmp`: with
 * `--tmpfs /tmp`; `volume`: its name, by default one that all share
 * @returns {RunningContainer}
 */
export function runImage(args, { env = {}, tmp = false, volume } = {}) {
  const settings = runSettings(image, volume);
  return new RunningContainer(
    finishedRoot,
    {
      ...settings,
      env: { ...settings.env, ...env },
      volumes: { ...settings.volumes, ...(tmp ? { '/tmp': 'tmpfs' } : {}) },
    },
    [...image.entrypoint, ...args],
  );
}

/**
 * Runs a program of the image beside the bridge, in a container of its own on the same network.
 *
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string>, tmp?: boolean }} [options]
 * @returns {Promise<{ exitCode: number | null, lines: string[] }>}
 */
export async function runProgram(command, { env = {}, tmp = false } = {}) {
  const settings = runSettings(image, 'programs');
  const container = new RunningContainer(
    finishedRoot,
    {
      ...settings,
      env: { ...settings.env, ...env },
      volumes: tmp ? { '/tmp': 'tmpfs' } : {},
    },
    command,
  );
  return { exitCode: await container.ended(), lines: container.lines };
}
