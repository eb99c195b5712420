/** Files of npm packages that tests need but that must not be dependencies of ours. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Unpacks one package, without its dependencies, into build/packages.
 *
 * @param specifier - name and exact version, such as `ws@8.18.0`
 * @returns the folder of its files
 */
export async function unpackPackage(specifier: string): Promise<string> {
  const folder = join(process.cwd(), 'build', 'packages', specifier.replaceAll('/', '+'));
  const unpacked = join(folder, 'package');
  if (existsSync(join(unpacked, 'package.json'))) return unpacked;
  mkdirSync(folder, { recursive: true });
  const { stdout } = await run(
    'npm',
    ['pack', specifier, '--silent', '--pack-destination', folder],
    {
      timeout: 120_000,
    },
  );
  const tarball = stdout.trim().split('\n').at(-1) ?? '';
  await run('tar', ['-xzf', join(folder, tarball), '-C', folder]);
  return unpacked;
}
