/** Findings about what is installed: Node, the addon, GStreamer, kvssink. */
import { Severity } from '../report.js';
import type { CatalogPart } from './entry.js';

const notBuilt = '`start` ends with `KVSB_ADDON` (exit code 31)';
const noElement = '`start` ends with `KVSB_MISSING_PLUGIN` (exit code 32)';
const rebuild = 'npm rebuild kvs-bridge (in a clone of the repository: npm run build)';

export const softwareCatalog = {
  'node.ok': { severity: Severity.ok, found: 'Node {version}' },
  'node.too-old': {
    severity: Severity.error,
    symptom: 'npm warns of `EBADENGINE`, or the command ends with a SyntaxError',
    found: 'Node {version} is too old: {needed} or newer is needed',
    fix: 'Install Node {needed} or newer, from https://nodejs.org or with `nvm install 22`',
  },
  'addon.ok': {
    severity: Severity.ok,
    found: 'The addon loads; it is built for Node-API {needed}, Node has {napi}',
  },
  'addon.node-api': {
    severity: Severity.error,
    symptom: notBuilt,
    found: 'The addon is built for Node-API {needed}, but Node {version} has {napi}',
    fix: 'Install Node 20.19 or newer',
  },
  'addon.missing': {
    severity: Severity.error,
    symptom: `${notBuilt}: "is not built"`,
    found: 'The native addon is not built: there is no {file}',
    fix: rebuild,
  },
  'addon.library': {
    severity: Severity.error,
    symptom: `${notBuilt}: "cannot open shared object file"`,
    found: 'The addon does not load: {library} is missing',
    fix: 'sudo apt install {package}',
  },
  'addon.broken': {
    severity: Severity.error,
    symptom: `${notBuilt}: "does not load"`,
    found: 'The addon does not load: {reason}',
    fix: `Build it on this machine: ${rebuild}`,
  },
  'addon.crashed': {
    severity: Severity.error,
    symptom: 'Each media process dies at once (`KVSB_MEDIA_PROCESS`)',
    found: 'A process that loads the addon and starts GStreamer ends by {cause}',
    fix: `${rebuild}; if it stays so, leave GST_PLUGIN_PATH empty and remove ~/.cache/gstreamer-1.0: a plugin of another GStreamer may be there`,
  },
  'addon.silent': {
    severity: Severity.warning,
    symptom: 'The first `start` on a machine, or each one in a container, waits for seconds',
    found: 'GStreamer was not up after {seconds} s',
    fix: 'Try again: the first start scans all plugins. With a read-only root set GST_REGISTRY to a file that was made before',
  },
  'gstreamer.ok': {
    severity: Severity.ok,
    found: 'GStreamer {version}, with all {count} elements that are needed',
  },
  'gstreamer.version': { severity: Severity.ok, found: 'GStreamer {version}' },
  'gstreamer.too-old': {
    severity: Severity.error,
    symptom: 'The build stops, or no media arrives although the master is connected',
    found: 'GStreamer {version} is too old: 1.22 or newer is needed',
    fix: 'Use Debian 12 or newer, or Ubuntu 24.04 or newer, or the container image',
  },
  'gstreamer.missing': {
    severity: Severity.error,
    symptom: noElement,
    found: 'GStreamer has no {elements}, needed for {purpose}',
    fix: 'sudo apt install {package} (if it is installed: `gst-inspect-1.0 {element}` tells why it does not load)',
  },
  'gstreamer.no-codec': {
    severity: Severity.warning,
    symptom:
      'A warning `<codec> cannot be taken` at start; masters that send only that are not recorded',
    found: 'GStreamer has no {elements}: {purpose} is not asked for',
    fix: 'sudo apt install {package}, or leave the codec out with --video-codecs',
  },
  'openssl.isolated': {
    severity: Severity.ok,
    found: "GStreamer's DTLS is bound to {library} ({calls} calls), not to the OpenSSL in Node",
  },
  'openssl.shared': {
    severity: Severity.ok,
    found: "Node uses the system's OpenSSL, as GStreamer does: nothing to keep apart",
  },
  'openssl.mixed': {
    severity: Severity.error,
    symptom: 'Connections fail after ICE, or the media process crashes (`KVSB_MEDIA_PROCESS`)',
    found: "GStreamer's DTLS is bound to the OpenSSL inside of {program} ({calls} calls)",
    fix: "Leave LD_PRELOAD and LD_BIND_NOW empty; else use the system's Node (apt install nodejs), which shares its OpenSSL",
  },
  'kvssink.absent': {
    severity: Severity.ok,
    found: 'GStreamer finds no kvssink: the built-in upload stores the media ({reason})',
  },
  'kvssink.found': {
    severity: Severity.ok,
    found: 'kvssink {version} in {file}; {sink} stores the media ({reason})',
  },
  'kvssink.wanted': {
    severity: Severity.error,
    symptom: `${noElement}: "finds no element kvssink"`,
    found: '--sink kvssink is set, but GStreamer finds no kvssink',
    fix: "Build it from AWS's producer SDK and set GST_PLUGIN_PATH and LD_LIBRARY_PATH to it, or leave --sink out",
  },
  'kvssink.not-loading': {
    severity: Severity.warning,
    symptom: '`media is stored with putmedia: GStreamer finds no kvssink`, although it is there',
    found: '{file} is there, but GStreamer cannot load it',
    fix: "Set LD_LIBRARY_PATH to the producer SDK's open-source/local/lib, remove ~/.cache/gstreamer-1.0; `ldd {file}` names what is missing",
  },
} as const satisfies CatalogPart;
