/**
 * Runs the steps of the Dockerfile in debootstrap roots, where no container engine is at hand:
 *
 *   node scripts/container-root.mjs                     build
 *   node scripts/container-root.mjs --version           build if need be, then run the entrypoint
 *   node scripts/container-root.mjs --build-arg KVSSINK_IMAGE=/srv/root    build, of a root folder
 *
 * The command runs as in `docker run --read-only`: as the image's user, process 1, writing nothing
 * but the volume, which is kept in build/container/volumes. It needs root, debootstrap, and some 3 GB in
 * build/container. Layers and the base image's own files are an engine's matter.
 */
import { existsSync, readFileSync } from 'node:fs';
import { buildImage, finishedRoot, runSettings } from './container/build.mjs';
import { parseDockerfile, settingsOf } from './container/dockerfile.mjs';
import { ensureRootUser, runInRoot } from './container/root.mjs';
import { inProject } from './setup/paths.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(async () => {
  ensureRootUser();
  const { buildArgs, args } = split(process.argv.slice(2));
  const dockerfile = readFileSync(inProject('Dockerfile'), 'utf8');
  const stages = parseDockerfile(dockerfile, buildArgs);
  if (args.length === 0 || !existsSync(finishedRoot)) await buildImage(stages);
  if (args.length === 0) return;
  const settings = settingsOf(stages, stages.at(-1));
  const command = [...settings.entrypoint, ...args];
  process.exitCode = await runInRoot(finishedRoot, runSettings(settings), command);
});

/**
 * @param {readonly string[]} args
 * @returns {{ buildArgs: Record<string, string>, args: readonly string[] }}
 */
function split(args) {
  if (args[0] !== '--build-arg') return { buildArgs: {}, args };
  const [name, ...value] = args[1]?.split('=') ?? [];
  const rest = split(args.slice(2));
  return { buildArgs: { [name]: value.join('='), ...rest.buildArgs }, args: rest.args };
}
