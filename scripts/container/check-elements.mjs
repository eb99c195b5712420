/**
 * `kvs-bridge check-elements` in the image: each element of elements.txt is there, which an element
 * of a plugin that cannot be loaded is not. A step of the build; it writes GStreamer's registry, too.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadNative } from '../dist/lib/media/native.js';

const native = loadNative();
const elements = readFileSync(path.join(import.meta.dirname, 'elements.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const hasKvsSink = process.env.GST_PLUGIN_PATH?.includes('/opt/kvssink/') === true;
if (hasKvsSink) elements.push('kvssink');

const missing = elements.filter((element) => !native.hasElement(element));
if (missing.length > 0) {
  process.stderr.write(`GStreamer has no ${missing.join(', ')}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`GStreamer has all ${elements.length} elements\n`);
}
