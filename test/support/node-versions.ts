/** Other Node versions to test with, installed from the npm registry into build/nodes. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The major versions that package.json's `engines` promises. */
export const nodeMajors = [20, 22, 24] as const;

/**
 * An official build of a Node version.
 *
 * @returns its executable: the running one when it has that version
 */
export async function nodeOfMajor(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${String(major)}.`)) return process.execPath;
  const folder = join(process.cwd(), 'build', 'nodes', String(major));
  const packageName = `node-linux-${process.arch}`;
  const executable = join(folder, 'node_modules', packageName, 'bin', 'node');
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    await run(
      'npm',
      [
        'install',
        '--prefix',
        folder,
        '--no-save',
        '--no-package-lock',
        '--ignore-scripts',
        `${packageName}@${String(major)}`,
      ],
      {
        timeout: 120_000,
      },
    );
  }
  return executable;
}
