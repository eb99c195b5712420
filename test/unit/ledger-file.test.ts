/** The ledger's file: torn, corrupt, shared, compacted, and on a disk that takes nothing. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KvsBridgeError, readGaps } from '../../lib/index.js';
import { LedgerFile } from '../../lib/ledger/ledger-file.js';

const zeroMs = 1_700_000_000_000;

/** A second of media, 10 frames. */
function store(file: LedgerFile, second: number): void {
  const fromMs = zeroMs + second * 1_000;
  file.add({ type: 'stored', session: 1, fromMs, toMs: fromMs + 1_000, frames: 10 });
}

describe('ledger file', () => {
  let spoolDir = '';
  let path = '';
  beforeEach(async () => {
    spoolDir = await mkdtemp(join(tmpdir(), 'kvsb-ledger-'));
    path = join(spoolDir, 'door', 'ledger.jsonl');
  });
  afterEach(() => rm(spoolDir, { recursive: true }));

  const report = () => readGaps({ stream: 'door', spoolDir });

  async function write(...seconds: readonly number[]): Promise<readonly string[]> {
    const file = new LedgerFile(path);
    const warnings: string[] = [];
    file.on('warning', ({ message }) => warnings.push(message));
    await file.open();
    file.add({ type: 'begin', pid: 1 });
    for (const second of seconds) store(file, second);
    await file.close();
    return warnings;
  }

  it('says what is missing, and where there is nothing to read', async () => {
    await assert.rejects(report(), (error: unknown) => {
      assert.ok(error instanceof KvsBridgeError);
      assert.equal(error.code, 'KVSB_DATA_FOLDER');
      assert.match(`${error.message} ${error.fix ?? ''}`, /stream door.*--spool-dir/);
      return true;
    });
    await write(0, 1, 5);
    const { gaps, availability, videoFrames } = await report();
    assert.deepEqual(
      gaps.map(({ fromMs, toMs }) => [fromMs - zeroMs, toMs - zeroMs]),
      [[2_000, 5_000]],
    );
    assert.equal(availability, 0.5);
    assert.deepEqual(videoFrames, { received: 30, stored: 30, lost: 0, pending: 0 });
    const since = await readGaps({ stream: 'door', spoolDir, sinceMs: zeroMs + 5_500 });
    assert.deepEqual([since.gaps.length, since.availability], [0, 1]);
  });

  it('cuts a torn line and sets corrupt ones aside', async () => {
    await write(0);
    await appendFile(path, 'rubbish\n{"type":"stored","frames":-1}\n{"type":"sto');
    assert.equal((await report()).corruptLines, 2);
    const warnings = await write(1);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /2 lines .* cannot be read/);
    assert.match(await readFile(`${path}.corrupt`, 'utf8'), /^rubbish\n/);
    const { corruptLines, videoFrames } = await report();
    assert.deepEqual([corruptLines, videoFrames.stored], [0, 20]);
    // Torn again, and nothing else: no warning, and the next line stands for itself.
    await appendFile(path, '{"type":"sto');
    assert.deepEqual(await write(2), []);
    assert.equal((await report()).videoFrames.stored, 30);
  });

  it('keeps every line of several writers while each compacts', async () => {
    const files = [1, 2, 3].map(() => new LedgerFile(path, { compactBytes: 3_000 }));
    // One begins after the other: a beginning that lies back in time is a step of the clock.
    for (const [index, file] of files.entries()) {
      await file.open();
      store(file, index);
      await file.close();
    }
    for (let second = 1; second < 120; second += 1) {
      for (const [index, file] of files.entries()) store(file, 3 * second + index);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const file of files) await file.close();
    // Alone, so that nobody comes in between.
    const [first] = files;
    assert.ok(first !== undefined);
    store(first, 360);
    await first.close();
    const { gaps, videoFrames } = await report();
    assert.deepEqual(gaps, []);
    assert.equal(videoFrames.stored, 3_610);
    const text = await readFile(path, 'utf8');
    assert.match(text, /^\{"type":"compacted"/);
    assert.ok(text.length < 3_000, `${String(text.length)} bytes`);
  });

  it('goes on in memory while it cannot be written, and catches up', async () => {
    await mkdir(path, { recursive: true });
    const file = new LedgerFile(path);
    const warnings: string[] = [];
    file.on('warning', ({ message }) => warnings.push(message));
    await file.open();
    for (const second of [0, 1, 2]) store(file, second);
    await file.close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be written \(EISDIR\)/);
    assert.equal(file.ledger.frames().stored, 30);
    await rmdir(path);
    await writeFile(path, '');
    store(file, 3);
    await file.close();
    assert.equal((await report()).videoFrames.stored, 40);
  });
});
