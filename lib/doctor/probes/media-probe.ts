/**
 * Entry of a process that loads the addon, starts GStreamer and tells what it has: whatever is
 * broken there cannot take doctor along. Asked by media.ts.
 */
import { loadNative } from '../../media/native.js';
import { asKvsBridgeError, ErrorCode, serializeError } from '../../util/errors.js';
import { parseMediaQuestion } from './media-protocol.js';
import type { MediaAnswer } from './media-protocol.js';

function answer(question: unknown): MediaAnswer {
  try {
    const { elements } = parseMediaQuestion(question);
    const addon = loadNative();
    const kvssink = addon.pluginOf('kvssink');
    return {
      gstreamerVersion: addon.gstreamerVersion(),
      missing: elements
        .filter((element) => !addon.hasElement(element))
        .map((element) => ({ element, package: addon.packageOf(element) })),
      ...(kvssink === undefined ? {} : { kvssink }),
    };
  } catch (error) {
    return { error: serializeError(asKvsBridgeError(error, ErrorCode.addon)) };
  }
}

process.once('message', (question) => {
  process.send?.(answer(question), () => process.exit(0));
});
