/** Sound that differs from left to right stays so. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { RecordingSession } from '../support/recording-session.js';

const run = promisify(execFile);

/** Loudest sample of the right channel, and of the left channel minus the right one. */
async function peaks(file: string): Promise<{ readonly right: number; readonly apart: number }> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vn', '-ac', '2', '-f', 's16le', '-'],
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  let right = 0;
  let apart = 0;
  for (let at = 0; at + 3 < stdout.length; at += 4) {
    right = Math.max(right, Math.abs(stdout.readInt16LE(at + 2)));
    apart = Math.max(apart, Math.abs(stdout.readInt16LE(at) - stdout.readInt16LE(at + 2)));
  }
  return { right, apart };
}

describe('stereo sound', () => {
  it('stays stereo', async () => {
    await using session = await RecordingSession.start('putmedia', {
      master: { shape: { leftTone: true } },
    });
    await session.untilPersisted(3);
    await session.bridge.stop();
    const files = await session.stack.readFragments(await session.stack.listFragments());
    const found = await Promise.all(files.map(peaks));
    // Ticks of 0.8 in both channels; a tone of 0.1 in the left one alone.
    const right = Math.max(...found.map((peak) => peak.right));
    const apart = Math.max(...found.map((peak) => peak.apart));
    assert.ok(right > 20_000, `the right channel has ${String(right)}`);
    assert.ok(apart > 2_000 && apart < 10_000, `the left one differs by ${String(apart)}`);
  });
});
