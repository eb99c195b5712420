/** The gap ledger: what it says is missing, against the numbers in the pictures that are stored. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TestMaster, readGaps } from '../../lib/index.js';
import type { Gap } from '../../lib/index.js';
import { Cli, runCommand } from '../support/cli.js';
import { readTestFrames } from '../support/decode.js';
import { LocalStack } from '../support/local-stack.js';

const frameRate = 15;
const frameMs = 1_000 / frameRate;
const picture = { width: 480, height: 64, frameRate, videoBitrateBps: 200_000 } as const;
/** KVS refuses the fragment for good: FRAMES_MISSING_FOR_TRACK. */
const refusal = 4011;

interface NumberedFrame {
  readonly number: number;
  readonly timeMs: number;
}

class Recording implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly spoolDir: string;
  readonly numberedSinceMs = Date.now();
  sent = 0;
  #master: TestMaster | undefined;
  #bridge: Cli | undefined;

  constructor(stack: LocalStack) {
    this.stack = stack;
    this.spoolDir = join(stack.folder, 'spool');
  }

  async startMaster(): Promise<void> {
    const { numberedSinceMs } = this;
    this.#master = new TestMaster({ ...this.stack.connection, ...picture, numberedSinceMs });
    await this.#master.start();
  }

  async stopMaster(): Promise<void> {
    await this.#master?.stop();
    this.sent += this.#master?.framesSent ?? 0;
    this.#master = undefined;
  }

  /** Begins to record; resolves when the first fragment is persisted. */
  async startBridge(): Promise<Cli> {
    const { kvs, channel, stream } = this.stack;
    this.#bridge = new Cli([
      ...['start', '--json', '--local', kvs.url, '--channel', channel, '--stream', stream],
      ...['--sink', 'putmedia', '--fragment-seconds', '1', '--spool-dir', this.spoolDir],
    ]);
    await this.#bridge.until('persisted');
    return this.#bridge;
  }

  /** The pictures that are stored, in order. */
  async storedFrames(): Promise<readonly NumberedFrame[]> {
    const frames: NumberedFrame[] = [];
    for (const file of await this.stack.readFragments(await this.stack.listFragments())) {
      const shown = await readTestFrames(file);
      frames.push(...shown.map(({ counter, ptsMs }) => ({ number: counter, timeMs: ptsMs })));
    }
    return frames.sort((a, b) => a.number - b.number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bridge?.child.kill('SIGKILL');
    await this.#master?.stop();
  }
}

/** Holes between stored pictures that no gap covers. */
function unlisted(frames: readonly NumberedFrame[], gaps: readonly Gap[]): readonly string[] {
  const problems: string[] = [];
  for (const [index, { number, timeMs }] of frames.slice(1).entries()) {
    const before = frames[index];
    if (before === undefined || number === before.number + 1) continue;
    // The times of the missing ones, by the numbers.
    for (let missing = before.number + 1; missing < number; missing += 1) {
      const share = (missing - before.number) / (number - before.number);
      const missingMs = before.timeMs + share * (timeMs - before.timeMs);
      const isListed = gaps.some(
        ({ fromMs, toMs }) => missingMs >= fromMs - frameMs && missingMs <= toMs + frameMs,
      );
      if (!isListed) problems.push(`frame ${String(missing)} at ${String(missingMs)}`);
    }
  }
  return problems;
}

/** The media process of a command: its only child that is a fork. */
async function mediaProcessOf({ child }: Cli): Promise<number> {
  const pid = String(child.pid);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const found = Number(children.trim().split(' ').at(-1));
  assert.ok(found > 0, 'no media process');
  return found;
}

describe('gap ledger', () => {
  it('accounts for every frame through whatever interrupts a recording', async () => {
    await using stack = await LocalStack.start();
    await using recording = new Recording(stack);
    await recording.startMaster();

    const first = await recording.startBridge();
    process.kill(await mediaProcessOf(first), 'SIGKILL');
    await first.until('state', ({ state }) => state === 'reconnecting');
    await first.until('gap', ({ cause }) => cause === 'media-process');
    first.child.kill('SIGKILL');
    await first.end();

    const second = await recording.startBridge();
    await second.until('gap', ({ cause }) => cause === 'restart');
    stack.kvs.faults.failAck({ errorId: refusal });
    await second.until('gap', ({ cause }) => cause === 'refused');
    await recording.stopMaster();
    await second.until('state', ({ state }) => state === 'reconnecting');
    await recording.startMaster();
    await second.until('gap', ({ cause }) => cause === 'source-away');
    second.child.kill('SIGTERM');
    await second.end();
    await recording.stopMaster();

    const { gaps, videoFrames } = await readGaps({
      stream: stack.stream,
      spoolDir: recording.spoolDir,
    });
    const place = ['--stream', stack.stream, '--spool-dir', recording.spoolDir];
    const { stdout, exitCode } = await runCommand(['gaps', ...place]);
    assert.equal(exitCode, 0);
    for (const { cause } of gaps) assert.match(stdout, new RegExp(`Z +[0-9.]+ s +${cause} `));
    assert.match(stdout, /front-door-archive: [0-9.]+ % of [0-9.]+ s stored, \d gaps of/);
    const frames = await recording.storedFrames();
    assert.deepEqual(unlisted(frames, gaps), []);
    assert.equal(new Set(frames.map(({ number }) => number)).size, frames.length, 'stored twice');
    assert.equal(videoFrames.stored, frames.length);
    const { received, stored, lost, pending } = videoFrames;
    assert.equal(received, stored + lost + pending);
    assert.ok(received <= recording.sent);
    assert.equal(
      gaps.reduce((sum, { videoFramesLost }) => sum + videoFramesLost, 0),
      lost,
    );
  });
});
