/** A Debian root folder, and commands that run in it as a container would run them. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from '../setup/setup-error.mjs';

/** Where the host's certificates show inside of the root while a command runs. */
const hostCertificates = '/run/host-certificates.crt';

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<number>} the exit code
 */
export function spawnInherited(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
async function must(command, args) {
  const exitCode = await spawnInherited(command, args);
  if (exitCode !== 0) {
    throw new SetupError(`${command} ended with exit code ${exitCode}`, 'read its output above');
  }
}

/**
 * Makes a minimal system with debootstrap, unless it is there from an earlier run.
 *
 * @param {string} folder
 * @param {string} suite such as `trixie`
 */
export async function bootstrap(folder, suite) {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  await must('debootstrap', ['--variant=minbase', suite, unfinished, debianMirror()]);
  renameSync(unfinished, folder);
}

/** @returns {string} the Debian mirror that this machine's apt uses */
function debianMirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [];
  const text = ['/etc/apt/sources.list', ...files]
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const mirrors = text.match(/https?:\/\/\S+\/debian\/?(?=\s)/g) ?? [];
  if (mirrors[0] !== undefined) return mirrors[0];
  throw new SetupError(
    'apt on this machine names no Debian mirror to make the root from',
    'add one to /etc/apt/sources.list, or run this on Debian',
  );
}

/**
 * @param {string} from
 * @param {string} to
 */
export async function copyRoot(from, to) {
  rmSync(to, { recursive: true, force: true });
  await must('cp', ['--archive', '--reflink=auto', from, to]);
}

/**
 * Runs a command in the root with its own mounts, which go when it ends.
 *
 * @param {string} root
 * @param {{ user: string, folder: string, env: Record<string, string> }} settings
 * @param {readonly string[]} command
 * @returns {Promise<number>} the exit code
 */
export function runInRoot(root, { user, folder, env }, command) {
  const certificates = process.env.NODE_EXTRA_CA_CERTS ?? '/etc/ssl/certs/ca-certificates.crt';
  const script = `
    set -e
    root="$1" user="$2" folder="$3" certificates="$4"
    shift 4
    mount --rbind /dev "$root/dev"
    mount --types proc proc "$root/proc"
    touch "$root/etc/resolv.conf" "$root${hostCertificates}"
    mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
    if [ -e "$certificates" ]; then mount --bind "$certificates" "$root${hostCertificates}"; fi
    mkdir -p "$root$folder"
    exec chroot --userspec="$user" "$root" /usr/bin/env --chdir="$folder" "$@"`;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return spawnInherited(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c', script, 'container-root'],
      ...[root, user, folder, certificates, ...variables, ...command],
    ],
    { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...hostEnvironment() },
  );
}

/**
 * How this machine reaches the network. Known at run time only, and never part of an image.
 *
 * @returns {Record<string, string>}
 */
function hostEnvironment() {
  const names = /^(https?_proxy|no_proxy|npm_config_(registry|https?_proxy|noproxy))$/i;
  const passed = Object.entries(process.env).filter(([name]) => names.test(name));
  return {
    ...Object.fromEntries(passed),
    NODE_EXTRA_CA_CERTS: hostCertificates,
    npm_config_cafile: hostCertificates,
  };
}
