/**
 * Collects what the image takes of Debian, in a stage of the Dockerfile where all of Debian's
 * packages are installed:
 *
 *   node collect.mjs <base packages> <elements.txt> <target folder> <libraries.txt>
 *
 * That is: the plugins of the listed elements, Node, tini, the shared libraries of all these, and
 * the data that they read. What the base image has already is left out. Each package that something
 * is taken from leaves its licence, and its entry in /var/lib/dpkg/status.d, where scanners for
 * known vulnerabilities look. The names of all shared libraries that the image then has are written to
 * the last file.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** Programs, beside the one that makes GStreamer's registry. */
const programs = ['/usr/bin/node', '/usr/bin/tini'];

/** Folders of data: certificates; fonts for the clock in the test picture. */
const folders = [
  '/etc/fonts',
  '/etc/ssl',
  '/usr/lib/ssl',
  '/usr/share/ca-certificates',
  '/usr/share/fontconfig',
  '/usr/share/fonts/truetype/dejavu',
  '/var/cache/fontconfig',
];

/** @param {...string} command */
const output = (...command) =>
  execFileSync(command[0], command.slice(1), { encoding: 'utf8', maxBuffer: 2 ** 26 });

/** @param {string} text */
const linesOf = (text) => text.split('\n').filter((line) => line !== '');

const [basePackagesFile, elementsFile, target, librariesFile] = process.argv.slice(2);
const base = packageVersions(readFileSync(basePackagesFile, 'utf8'));
const installed = packageVersions(output('dpkg-query', '--show'));
for (const [name, version] of base) {
  if (installed.get(name) === version) continue;
  throw new Error(`${name} of the base image was replaced: ${version} by ${installed.get(name)}`);
}

const owners = fileOwners();
const taken = new Set();
const libraryNames = new Set(
  [...owners].filter(([, owner]) => base.has(owner)).map(([file]) => path.basename(file)),
);

const plugins = pluginsOf(linesOf(readFileSync(elementsFile, 'utf8')));
const scanner = output('find', '/usr/lib', '-name', 'gst-plugin-scanner').trim();
takeWithLibraries([...programs, ...plugins, scanner]);
takeCompanions();
for (const name of javascriptOfNode()) {
  linesOf(output('dpkg-query', '--listfiles', name))
    .filter(isCode)
    .forEach(take);
}
for (const folder of folders) linesOf(output('find', folder, '!', '-type', 'd')).forEach(take);
for (const name of taken) keepNotices(name);
writeFileSync(librariesFile, `${[...libraryNames].filter(isLibrary).join('\n')}\n`);
process.stdout.write(`${plugins.length} plugins; something of ${taken.size} packages\n`);

/**
 * @param {string} text of `dpkg-query --show`
 * @returns {Map<string, string>} versions by package names, which may end in `:amd64`
 */
function packageVersions(text) {
  return new Map(linesOf(text).map((line) => line.split('\t')));
}

/** @returns {Map<string, string>} packages by the files they own */
function fileOwners() {
  const owners = new Map();
  for (const name of installed.keys()) {
    for (const file of linesOf(output('dpkg-query', '--listfiles', name))) owners.set(file, name);
  }
  return owners;
}

/**
 * @param {readonly string[]} lines of the list of elements
 * @returns {string[]} the files of their plugins
 */
function pluginsOf(lines) {
  const elements = lines.filter((line) => !line.startsWith('#'));
  const files = elements.map((element) => {
    const description = output('gst-inspect-1.0', element);
    const file = /^\s*Filename\s+(\S+)$/m.exec(description)?.[1];
    if (file === undefined) throw new Error(`${element} is in no plugin`);
    return file;
  });
  return [...new Set(files)];
}

/**
 * @param {readonly string[]} files
 * @returns {string[]} the shared libraries that they load, directly and through others
 */
function libraries(files) {
  if (files.length === 0) return [];
  const listed = output('ldd', ...files);
  if (listed.includes('not found')) throw new Error(`a shared library is missing:\n${listed}`);
  return [...new Set(Array.from(listed.matchAll(/=> (\/\S+)/g), ([, file]) => file))];
}

/** @param {readonly string[]} files */
function takeWithLibraries(files) {
  for (const file of [...files, ...libraries(files)]) take(file);
}

/**
 * Takes the other libraries of the packages that something was taken of: a library may open them by
 * name when it runs, as that of NSS does, which encrypts SRTP. Not so GStreamer, whose libraries are
 * named by its plugins, and whose plugins were chosen.
 */
function takeCompanions() {
  const done = new Set();
  for (
    let names = [...taken];
    names.length > 0;
    names = [...taken].filter((one) => !done.has(one))
  ) {
    for (const name of names) {
      done.add(name);
      if (name.includes('gstreamer')) continue;
      const files = linesOf(output('dpkg-query', '--listfiles', name)).filter(isCompanion);
      takeWithLibraries(files.filter(isLibrary));
      // NSS keeps checksums beside its libraries.
      files.forEach(take);
    }
  }
}

/** @param {string} file */
function isCompanion(file) {
  return /^\/usr\/lib\/.*\.(so(\.\d+)*|chk)$/.test(file);
}

/** @returns {string[]} the packages that hold parts of Debian's Node; corepack is no part of it */
function javascriptOfNode() {
  const pending = [...installed.keys()].filter((name) => /^libnode\d+/.test(name));
  const found = new Set();
  for (const name of pending) {
    const depends = output('dpkg-query', '--show', '--showformat=${Depends}', name);
    for (const [dependency] of depends.matchAll(/\bnode-[a-z0-9.-]+/g)) {
      if (!found.has(dependency) && installed.has(dependency)) pending.push(dependency);
      found.add(dependency);
    }
  }
  return [...found].filter((name) => installed.has(name));
}

/** @param {string} name */
function isLibrary(name) {
  return /\.so(\.\d+)*$/.test(name);
}

/** @param {string} file */
function isCode(file) {
  return /^\/usr\/share\/(nodejs|node_modules)\//.test(file) && !lstatSync(file).isDirectory();
}

/**
 * Takes a file, and what it points to when it is a symbolic link.
 *
 * @param {string} file
 */
function take(file) {
  // /lib is a link to /usr/lib, and ldd prints either.
  const real = path.join(realpathSync(path.dirname(file)), path.basename(file));
  const owner = owners.get(real);
  if (owner !== undefined && base.has(owner)) return;
  if (owner !== undefined) taken.add(owner);
  const copy = path.join(target, real);
  if (existsSync(copy)) return;
  libraryNames.add(path.basename(real));
  mkdirSync(path.dirname(copy), { recursive: true });
  cpSync(real, copy, { verbatimSymlinks: true, preserveTimestamps: true });
  const destination = statSync(real, { throwIfNoEntry: false });
  if (lstatSync(real).isSymbolicLink() && destination?.isFile()) take(realpathSync(real));
}

/** @param {string} name of a package */
function keepNotices(name) {
  const plain = name.replace(/:\w+$/, '');
  const copyright = `/usr/share/doc/${plain}/copyright`;
  if (existsSync(copyright)) {
    mkdirSync(path.join(target, path.dirname(copyright)), { recursive: true });
    cpSync(realpathSync(copyright), path.join(target, copyright));
  }
  const status = path.join(target, 'var/lib/dpkg/status.d', plain);
  mkdirSync(path.dirname(status), { recursive: true });
  writeFileSync(status, output('dpkg-query', '--status', name));
}
