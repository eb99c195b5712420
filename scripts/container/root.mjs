/** A Debian root folder, and commands that run in it as a container would run them. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { SetupError } from '../setup/setup-error.mjs';

/** Where the host's certificates show inside of the root while a command runs. */
const hostCertificates = '/run/host-certificates.crt';

/**
 * How a command runs in a root.
 *
 * @typedef {object} RootSettings
 * @property {string} user
 * @property {string} folder the working folder
 * @property {Record<string, string>} env
 * @property {boolean} [network] it reaches the network as this machine does: resolver, proxy,
 * certificates, npm's settings. By default only through the host's interfaces
 * @property {boolean} [readOnly] nothing can be written but the volumes
 * @property {Record<string, string>} [volumes] folders of the host by where the root sees them
 */

/**
 * Runs a command, which a signal that ends this script ends first.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<number>} the exit code
 */
export function spawnInherited(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    const end = (/** @type {NodeJS.Signals} */ signal) => {
      child.once('close', () => process.exit(128 + constants.signals[signal]));
      child.kill('SIGTERM');
    };
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    for (const signal of signals) process.once(signal, end);
    child.on('error', reject);
    child.on('close', (code) => {
      for (const signal of signals) process.off(signal, end);
      resolve(code ?? 1);
    });
  });
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function must(command, args) {
  const exitCode = await spawnInherited(command, args);
  if (exitCode !== 0) {
    throw new SetupError(`${command} ended with exit code ${exitCode}`, 'read its output above');
  }
}

/** @throws {SetupError} where this user cannot make roots */
export function ensureRootUser() {
  if (process.getuid?.() === 0) return;
  throw new SetupError('chroot and debootstrap need root', 'run this script as root');
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
  // As in Debian's container images: what can be made anew needs no fsync(2).
  writeFileSync(path.join(unfinished, 'etc/dpkg/dpkg.cfg.d/speed'), 'force-unsafe-io\n');
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
  mkdirSync(path.dirname(to), { recursive: true });
  await must('cp', ['--archive', '--reflink=auto', from, to]);
}

/** Runs in mount and process namespaces of its own, so that nothing of it outlives the command. */
const enterScript = `
  set -e
  root="$1" user="$2" folder="$3" certificates="$4" read_only="$5" volumes="$6"
  shift 6
  mkdir -p "$root$folder"
  mount --bind "$root" "$root"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  mount --types proc proc "$root/proc"
  if [ -n "$certificates" ]; then
    touch "$root/etc/resolv.conf" "$root${hostCertificates}"
    mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
    if [ -e "$certificates" ]; then mount --bind "$certificates" "$root${hostCertificates}"; fi
  fi
  for volume in $volumes; do
    target="$root\${volume#*=}"
    mkdir -p "$target"
    mount --bind "\${volume%%=*}" "$target"
  done
  if [ "$read_only" = true ]; then mount --options remount,bind,ro "$root"; fi
  exec chroot --userspec="$user" "$root" /usr/bin/env --chdir="$folder" "$@"`;

/**
 * The program and its arguments that run a command in the root as process 1, for `spawn`.
 *
 * @param {string} root
 * @param {RootSettings} settings
 * @param {readonly string[]} command
 * @returns {{ command: string, args: string[], env: Record<string, string> }}
 */
export function rootCommand(root, settings, command) {
  const { user, folder, env, network = false, readOnly = false, volumes = {} } = settings;
  const certificates = process.env.NODE_EXTRA_CA_CERTS ?? '/etc/ssl/certs/ca-certificates.crt';
  const mounts = Object.entries(volumes).map(([target, source]) => `${source}=${target}`);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    command: 'unshare',
    args: [
      ...['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'],
      ...['sh', '-c', enterScript, 'enter-root', root, user, folder],
      ...[network ? certificates : '', String(readOnly), mounts.join(' ')],
      ...[...variables, ...command],
    ],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...(network ? hostEnvironment() : {}),
    },
  };
}

/**
 * @param {string} root
 * @param {RootSettings} settings
 * @param {readonly string[]} command
 * @returns {Promise<number>} the exit code
 */
export function runInRoot(root, settings, command) {
  const { command: program, args, env } = rootCommand(root, settings, command);
  return spawnInherited(program, args, env);
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
