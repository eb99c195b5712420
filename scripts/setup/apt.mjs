/** Finds and installs missing system packages with apt-get. */
import {
  currentSystem,
  gstreamerFloor,
  knownSystemNames,
  outdatedGstreamer,
  packagesFor,
} from './packages.mjs';
import { lastLines, run, step, writeLog } from './run.mjs';
import { SetupError } from './setup-error.mjs';

/** Seconds to wait for another package manager to finish. */
const aptLockTimeoutS = 60;

/** What apt-get and dpkg print, and what to tell the reader. The first match wins. */
const knownFailures = [
  {
    pattern: /dpkg was interrupted/,
    message: 'an earlier package installation was interrupted',
    fix: 'run "sudo dpkg --configure -a", then run this command again',
  },
  {
    pattern: /Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock/,
    message: 'another program is installing packages and holds the lock of apt',
    fix: 'wait until it has ended, then run this command again',
  },
  {
    pattern: /No space left on device|don't have enough free space/,
    message: 'the disk is full',
    fix: 'free about 2 GB in /var and /usr, then run this command again',
  },
  {
    pattern: /Temporary failure resolving|Could not resolve|Could not connect|Unable to connect/,
    message: 'the package server cannot be reached',
    fix: 'check the network, the proxy settings and /etc/apt/sources.list, then run this again',
  },
  {
    pattern: /Unable to locate package|has no installation candidate/,
    message: 'the configured package sources lack a package that is needed',
    fix: 'enable Debian\'s "main" or Ubuntu\'s "main" and "universe" in /etc/apt/sources.list',
  },
  {
    pattern: /Failed to fetch|Connection (failed|timed out|refused)/,
    message: 'a package could not be downloaded',
    fix: 'check the network, run "apt-get update", then run this command again',
  },
];

/**
 * Installs what is missing of a profile's packages; quick when nothing is.
 *
 * @param {import('./packages.mjs').Profile} profile
 */
export async function ensureSystemPackages(profile) {
  const system = currentSystem();
  const outdated = outdatedGstreamer.get(system);
  if (outdated !== undefined) {
    throw new SetupError(
      `${system} packages GStreamer ${outdated}; kvs-bridge needs ${gstreamerFloor} or newer`,
      `use ${knownSystemNames}, or the container; with a newer GStreamer installed by hand, set ` +
        'KVSB_SKIP_SYSTEM_PACKAGES=1 and run this command again',
    );
  }
  const { known, packages } = packagesFor(system, profile);
  const missing = await missingPackages(packages);
  if (missing === undefined || (!known && missing.length > 0)) {
    throw new SetupError(
      `this system (${system}) is not one that packages are installed on by itself ` +
        `(${knownSystemNames}), and it may lack some of: ${(missing ?? packages).join(' ')}`,
      `install your system's counterparts of these packages, GStreamer ${gstreamerFloor} or newer, ` +
        'then set KVSB_SKIP_SYSTEM_PACKAGES=1 and run this command again',
    );
  }
  if (missing.length === 0) return;

  const asRoot = await rootCommand(missing);
  await step(`installing ${missing.length} system packages`, () => install(asRoot, missing));
}

/**
 * @param {readonly string[]} packages
 * @returns {Promise<string[] | undefined>} undefined where there is no dpkg
 */
async function missingPackages(packages) {
  const query = await run('dpkg-query', [
    '--show',
    '--showformat=${db:Status-Status} ${Package}\n',
    ...packages,
  ]);
  if (query.exitCode === 127) return undefined;
  const installed = new Set(
    query.output
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return packages.filter((name) => !installed.has(name));
}

/**
 * @param {readonly string[]} missing
 * @returns {Promise<{ prefix: string[], interactive: boolean }>} what to put before apt-get
 */
async function rootCommand(missing) {
  if (process.getuid?.() === 0) return { prefix: [], interactive: false };
  const passwordless = await run('sudo', ['-n', 'true']);
  if (passwordless.exitCode === 0) return { prefix: ['sudo', '-n'], interactive: false };
  if (passwordless.exitCode !== 127 && process.stdin.isTTY) {
    process.stderr.write(`sudo will ask for your password to install: ${missing.join(' ')}\n`);
    return { prefix: ['sudo'], interactive: true };
  }
  throw new SetupError(
    `system packages are missing and this user cannot install them: ${missing.join(' ')}`,
    `as root, run "apt-get update && apt-get install ${missing.join(' ')}", then run this again`,
  );
}

/**
 * @param {{ prefix: string[], interactive: boolean }} asRoot
 * @param {readonly string[]} packages
 */
async function install(asRoot, packages) {
  const aptGet = (args) => {
    const [command, ...rest] = [
      ...asRoot.prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '--quiet=2',
      `--option=DPkg::Lock::Timeout=${aptLockTimeoutS}`,
      ...args,
    ];
    // sudo asks for a password on /dev/tty, so stdin is only needed where there is somebody.
    return run(command, rest, { stdin: asRoot.interactive ? 'inherit' : 'ignore' });
  };
  // A broken third-party source makes this fail though the packages here can be had; the
  // installation decides.
  const update = await aptGet(['update']);
  const result = await aptGet(['install', '--yes', '--no-install-recommends', ...packages]);
  if (result.exitCode === 0) return;

  const output = `${update.output}\n${result.output}`;
  const log = writeLog('apt-get', output);
  const failure = knownFailures.find(({ pattern }) => pattern.test(output));
  throw new SetupError(
    failure?.message ?? `apt-get ended with exit code ${result.exitCode}`,
    failure?.fix ?? `read ${log}, install the packages by hand, then run this command again`,
    { output: `${lastLines(result.output, 10)}\n(the full output is in ${log})` },
  );
}
