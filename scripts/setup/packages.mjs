/** The system packages that the project needs, on the systems it is tested on. */
import { readFileSync } from 'node:fs';

/** What the addon needs at run time and to be built; the H.264 encoder is in -ugly. */
const runtimePackages = [
  'cmake',
  'g++',
  'gstreamer1.0-nice',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-ugly',
  // timeoverlay and textoverlay, the pango plugin
  'gstreamer1.0-x',
  'libgstreamer-plugins-bad1.0-dev',
  'libgstreamer-plugins-base1.0-dev',
  'libgstreamer1.0-dev',
  'ninja-build',
  'pkg-config',
];

const testPackages = [
  'coturn',
  'ffmpeg',
  // A second decoder, to judge what is stored by.
  'gstreamer1.0-libav',
  'iproute2',
  // A clock of the bridge's own, for the chaos suite.
  'libfaketime',
  'libgtest-dev',
  // A certificate for the sink's TLS.
  'openssl',
  // A master that is neither a browser nor GStreamer.
  'python3-aiortc',
  'python3-websockets',
];

// The bare receiver that the bridge is measured against encodes with avenc_aac; transcoding is
// measured against gst-launch-1.0.
const benchPackages = ['gstreamer1.0-libav', 'gstreamer1.0-tools'];

/**
 * @typedef {'runtime' | 'test' | 'check' | 'bench'} Profile
 * what the packages are for; each but `runtime` comes on top of `runtime`
 */

/**
 * Clang's formatter and linter change their minds with every release, so one release is the
 * measure wherever it is packaged. Debian 13 dropped it: `npm run check` says so there.
 */
const pinnedClangPackages = ['clang-format-14', 'clang-tidy-14', 'libgtest-dev'];

/**
 * The systems that are tested. On Ubuntu, `chromium` is an empty package that installs a snap,
 * which cannot be driven headless from a service or container, so it is not installed there.
 *
 * @type {Record<string, Record<Exclude<Profile, 'runtime'>, readonly string[]>>}
 */
const knownSystems = {
  'debian 12': {
    test: [...testPackages, 'chromium'],
    check: pinnedClangPackages,
    bench: benchPackages,
  },
  'debian 13': { test: [...testPackages, 'chromium'], check: [], bench: benchPackages },
  'ubuntu 24.04': { test: testPackages, check: pinnedClangPackages, bench: benchPackages },
};

/** The names of the tested systems, for messages. */
export const knownSystemNames = 'Debian 12 and 13, Ubuntu 24.04';

/** Oldest GStreamer that works, see CMakeLists.txt. */
export const gstreamerFloor = '1.22';

/** Systems that cannot do, and the version of GStreamer that they package. */
export const outdatedGstreamer = new Map([
  ['debian 11', '1.18'],
  ['ubuntu 20.04', '1.16'],
  ['ubuntu 22.04', '1.20'],
]);

/**
 * @param {string} osRelease the text of os-release(5)
 * @returns {string} such as `debian 12`, or `unknown`
 */
export function systemName(osRelease) {
  const field = (key) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1];
  const id = field('ID');
  return id === undefined ? 'unknown' : `${id} ${field('VERSION_ID') ?? ''}`.trimEnd();
}

/** @returns {string} the name of the system this runs on */
export function currentSystem() {
  try {
    return systemName(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return 'unknown';
  }
}

/**
 * @param {string} system as {@link systemName} returns it
 * @param {Profile} profile
 * @returns {{ known: boolean, packages: string[] }} for a system that is not known, Debian's names
 */
export function packagesFor(system, profile) {
  const known = knownSystems[system];
  const extra = profile === 'runtime' ? [] : (known ?? knownSystems['debian 12'])[profile];
  return { known: known !== undefined, packages: [...runtimePackages, ...extra].sort() };
}
