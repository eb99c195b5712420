/** Rows of aiortc, a master written in Python. */
import { AiortcMaster, missingAiortc } from '../support/aiortc-master.js';
import type { AiortcMasterOptions } from '../support/aiortc-master.js';
import type { LocalStack } from '../support/local-stack.js';
import { matrixRow, nothingLost } from './row.js';
import type { MatrixRow, RunningSource } from './row.js';

class AiortcSource implements RunningSource {
  readonly #master: AiortcMaster;

  private constructor(master: AiortcMaster) {
    this.#master = master;
  }

  static async start(stack: LocalStack, options: AiortcMasterOptions): Promise<AiortcSource> {
    return new AiortcSource(await AiortcMaster.start(stack, options));
  }

  framesSent(): Promise<number> {
    return Promise.resolve(this.#master.framesSent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master[Symbol.asyncDispose]();
  }
}

function aiortcRow(id: string, title: string, options: AiortcMasterOptions): MatrixRow {
  return matrixRow<AiortcSource>({
    id: `aiortc-${id}`,
    title,
    group: 'aiortc',
    durationMs: 15_000,
    hasTestPicture: true,
    expect: nothingLost,
    missing: () => {
      const missing = missingAiortc();
      return missing === false ? undefined : missing;
    },
    start: (stack) => AiortcSource.start(stack, options),
  });
}

export const aiortcRows: readonly MatrixRow[] = [
  aiortcRow('vp8-av', 'VP8 and Opus', { codec: 'VP8' }),
  aiortcRow('vp8-video-only', 'VP8 without sound', { codec: 'VP8', audio: false }),
  aiortcRow('h264-av', 'H.264 and Opus', { codec: 'H264' }),
  aiortcRow('h264-video-only', 'H.264 without sound', { codec: 'H264', audio: false }),
];
