/** Measures a recording of the test picture and tone by decoding it. */
import { ErrorCode, asKvsBridgeError } from '../util/errors.js';
import { loadNative } from './native.js';
import type { RecordingAnalysis } from './recording-found.js';

/**
 * Decodes a Matroska recording of a {@link TestMaster} and tells whether each burned-in frame
 * counter is there once, how far apart the frames are, and how far the tone's ticks are from the
 * picture's flashes. Needs no other program.
 *
 * @param path - the recording
 * @throws {@link MediaError} when it cannot be read or decoded, or a decoder is not installed
 */
export async function analyzeRecording(path: string): Promise<RecordingAnalysis> {
  try {
    return await loadNative().analyzeRecording(path);
  } catch (error) {
    throw asKvsBridgeError(error, ErrorCode.media);
  }
}
