/** The native addon: there, built for this machine, and able to start GStreamer. */
import { existsSync } from 'node:fs';
import { addonFile } from '../../media/native.js';
import { finding } from '../catalog/catalog.js';
import type { Check } from '../check.js';

/** As package.json's `binary.napi_versions` has it. */
const neededNapi = 9;

/** Debian's packages of the libraries that the addon is linked with. */
const packages: readonly (readonly [library: RegExp, packageName: string])[] = [
  [/^libgst(?:webrtc|codecparsers)-/, 'libgstreamer-plugins-bad1.0-0'],
  [/^libgst(?:app|audio|rtp|sdp|video)-/, 'libgstreamer-plugins-base1.0-0'],
  [/^libgst/, 'libgstreamer1.0-0'],
  [/^libg(?:lib|object|io)-/, 'libglib2.0-0'],
];

/** What the dynamic linker says of a library that it does not find. */
const missingLibrary = /([\w.+-]+\.so[\w.]*): cannot open shared object file/;

export const addonCheck: Check = {
  topic: 'addon',
  run: async ({ machine, media }) => {
    const { nodeVersion: version, napiVersion: napi } = machine;
    if (napi < neededNapi) {
      return [finding('addon.node-api', { needed: neededNapi, version, napi })];
    }
    const file = addonFile();
    if (!existsSync(file)) return [finding('addon.missing', { file })];
    const asked = await media.ask();
    if (!asked.ok) return [finding('addon.silent', { seconds: media.timeoutMs / 1_000 })];
    const answer = asked.value;
    if ('crashed' in answer) return [finding('addon.crashed', { cause: answer.crashed })];
    if (!('error' in answer)) return [finding('addon.ok', { needed: neededNapi, napi })];
    const { message } = answer.error;
    const library = missingLibrary.exec(message)?.[1];
    if (library === undefined) {
      return [finding('addon.broken', { reason: message.replace(/^.*does not load: /, '') })];
    }
    const [, packageName = `the package that holds ${library}`] =
      packages.find(([pattern]) => pattern.test(library)) ?? [];
    return [finding('addon.library', { library, package: packageName })];
  },
};
