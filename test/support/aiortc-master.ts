/** A master made of aiortc (Debian's python3-aiortc), in a process of its own. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { presignSignalingUrl } from '../../lib/signaling/presigned-url.js';
import type { LocalStack } from './local-stack.js';

/** Debian's, which has Debian's modules; another Python on the path would not. */
const python = process.env['KVSB_PYTHON'] ?? '/usr/bin/python3';

/** Why aiortc cannot be used here, or false: for a test's `skip`. */
export function missingAiortc(): string | false {
  const { status } = spawnSync(python, ['-c', 'import aiortc, websockets, numpy']);
  return status === 0 ? false : 'python3-aiortc and python3-websockets are not installed';
}

/** What it sends; a picture like the test master's own, so that recordings can be analysed. */
export interface AiortcMasterOptions {
  /** @defaultValue 'VP8' */
  readonly codec?: 'VP8' | 'H264';
  /** At least 400 for the frame counter. @defaultValue 480 */
  readonly width?: number;
  /** @defaultValue 270 */
  readonly height?: number;
  /** aiortc's encoders reckon with 30. @defaultValue 30 */
  readonly frameRate?: number;
  /** Send a tick at each full second, as Opus. @defaultValue true */
  readonly audio?: boolean;
}

interface Line {
  readonly event: 'ready' | 'stats';
  readonly framesSent?: number;
}

/** A Python process that is the master of a local KVS's channel until it is disposed. */
export class AiortcMaster implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  #framesSent = 0;
  #stderr = '';
  #ready: () => void = () => undefined;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      if (line.event === 'ready') this.#ready();
      this.#framesSent = line.framesSent ?? this.#framesSent;
    });
  }

  /** Starts it; resolves when viewers can offer. */
  static async start(
    stack: LocalStack,
    { codec = 'VP8', width = 480, height = 270, frameRate = 30, audio = true }: AiortcMasterOptions,
  ): Promise<AiortcMaster> {
    await using controlPlane = stack.controlPlane();
    const { wss } = await controlPlane.signalingEndpoints(stack.channelArn, 'MASTER', {});
    const url = await presignSignalingUrl({
      endpoint: wss,
      channelArn: stack.channelArn,
      region: stack.region,
      credentials: stack.credentials,
    });
    const script = fileURLToPath(
      new URL('../../../test/support/aiortc_master.py', import.meta.url),
    );
    const child = spawn(python, ['-u', script]);
    const master = new AiortcMaster(child);
    const ready = new Promise<void>((resolve) => {
      master.#ready = resolve;
    });
    // On stdin: the URL is a secret, and arguments can be read by everyone.
    child.stdin.write(
      `${JSON.stringify({ url: url.href, codec, width, height, frameRate, audio })}\n`,
    );
    const failed = once(child, 'close').then(() => {
      throw new Error(`the aiortc master ended: ${master.#stderr}`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => undefined);
    return master;
  }

  /** Pictures handed to the encoder, as of its latest word, which comes twice a second. */
  get framesSent(): number {
    return this.#framesSent;
  }

  /** What it wrote to stderr, for a failing test to show. */
  get stderr(): string {
    return this.#stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await closed;
    clearTimeout(kill);
  }
}
