/** Rules of the project that no linter knows. Each returns what is wrong, as lines. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { listFiles } from '../setup/fingerprint.mjs';
import { inProject, projectRoot } from '../setup/paths.mjs';
import { run } from '../setup/run.mjs';

/** Longest C++ file; ESLint holds the TypeScript to the same. */
const maxLines = 400;

/** What may stand only in some native folders. */
const nativeRules = [
  {
    pattern: /#include\s*<(napi|node_api|js_native_api)\.h>/,
    allowedIn: ['binding'],
    reason: 'only native/binding knows Node',
  },
  {
    pattern:
      /\bstd::(j?thread|(recursive_|shared_|timed_)?mutex|condition_variable(_any)?|async)\b|\bpthread_\w+|\bg_(thread|mutex|rec_mutex|rw_lock|cond)_\w+|\bG(Thread|Mutex|RecMutex|RWLock|Cond)\b/,
    allowedIn: ['glib'],
    reason: 'threads and locks live in native/glib; post to the loop, or use Guarded',
  },
  {
    pattern: /#include\s*"(media|binding)\//,
    allowedIn: ['media', 'binding'],
    reason: 'native/glib knows GLib and GStreamer only',
  },
  {
    pattern: /#include\s*"binding\//,
    allowedIn: ['binding'],
    reason: 'native/media builds without the binding',
  },
];

/**
 * By folder of native/media: the other folders of it that it may include. What stands in native/media
 * itself are the words that all of them share; it includes none of them.
 *
 * @type {Record<string, readonly string[]>}
 */
const mediaLayers = {
  timeline: [],
  tracks: [],
  sinks: [],
  peer: ['tracks'],
  recorder: ['sinks'],
  session: ['peer', 'recorder', 'sinks', 'timeline', 'tracks'],
  publisher: ['peer', 'session', 'tracks'],
};

/**
 * @param {string} file
 * @param {string} code
 * @returns {string | undefined} the folder that the line includes from and should not
 */
function forbiddenMediaFolder(file, code) {
  const included = /#include\s*"media\/(\w+)\//.exec(code)?.[1];
  const [, area, folder, name] = file.split('/');
  if (included === undefined || area !== 'media' || included === folder) return undefined;
  const allowed = name === undefined ? [] : mediaLayers[folder];
  return allowed?.includes(included) === true ? undefined : included;
}

/** @returns {string} */
export function nativeLayers() {
  const findings = [];
  for (const file of listFiles('native', /\.(cc|h)$/)) {
    const folder = file.split('/')[1];
    const lines = readFileSync(inProject(file), 'utf8').split('\n');
    if (lines.length > maxLines) findings.push(`${file}: more than ${maxLines} lines`);
    for (const [index, line] of lines.entries()) {
      const code = line.replace(/\/\/.*$/, '');
      for (const { pattern, allowedIn, reason } of nativeRules) {
        if (!allowedIn.includes(folder) && pattern.test(code)) {
          findings.push(`${file}:${index + 1}: ${reason}: ${line.trim()}`);
        }
      }
      const forbidden = forbiddenMediaFolder(file, code);
      if (forbidden !== undefined) {
        findings.push(`${file}:${index + 1}: its folder may not use media/${forbidden}`);
      }
    }
  }
  return findings.join('\n');
}

/**
 * What belongs to one machine and must not be committed: paths, and the registry that npm
 * happened to use.
 *
 * @returns {Promise<string>}
 */
export async function machineSpecifics() {
  const findings = [];
  for (const name of ['package-lock.json', 'infra/package-lock.json']) {
    const lockFile = JSON.parse(readFileSync(inProject(name), 'utf8'));
    for (const [location, { resolved }] of Object.entries(lockFile.packages)) {
      if (resolved !== undefined) {
        findings.push(`${name}: ${location} names its registry; .npmrc omits that`);
      }
    }
  }

  const tracked = await run('git', ['ls-files', '-z']);
  // Not a clone, for example an unpacked archive: nothing will be committed from here.
  if (tracked.exitCode !== 0) return findings.join('\n');
  const ownPaths = [projectRoot, homedir()]
    .filter((folder) => folder.split('/').length > 1 && folder.length > 4)
    .map((folder) => `${folder}/`);
  const homeFolder = /(^|[^\w.~-])\/(home|Users)\/[a-z][\w.-]*\//;
  for (const file of tracked.output.split('\0').filter((name) => name !== '')) {
    let text;
    try {
      text = readFileSync(inProject(file), 'utf8');
    } catch {
      continue; // deleted, but not yet committed
    }
    for (const [index, line] of text.split('\n').entries()) {
      if (homeFolder.test(line) || ownPaths.some((folder) => line.includes(folder))) {
        findings.push(`${file}:${index + 1}: a path of one machine: ${line.trim().slice(0, 120)}`);
      }
    }
  }
  return findings.join('\n');
}
