import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { defaultLimits } from '../../lib/local/options.js';
import { FragmentIndex } from '../../lib/local/store/fragment-index.js';
import { compareNumbers, FragmentNumbers } from '../../lib/local/store/fragment.js';
import type { NewFragment } from '../../lib/local/store/fragment.js';
import { FragmentGoneError, StreamStore } from '../../lib/local/store/stream-store.js';

let root = '';
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'kvs-bridge-store-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

const newFolder = (): string => join(root, String((count += 1)));
const openStore = async (folder: string): Promise<StreamStore> =>
  StreamStore.open({ folder, limits: defaultLimits.storage, logger: undefined });

function fragment(number: string, serverTimestampMs = Date.now()): NewFragment {
  const parts = [Buffer.from(`head ${number}`), Buffer.from('cluster')];
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const clusterOffset = parts[0]?.length ?? 0;
  return {
    number,
    serverTimestampMs,
    producerTimestampMs: serverTimestampMs,
    durationMs: 1000,
    sizeBytes,
    clusterOffset,
    parts,
  };
}

async function storeThree(folder: string): Promise<void> {
  const store = await openStore(folder);
  for (const number of ['10', '11', '12']) await store.persist(fragment(number));
  await store.close();
}

const numbersOf = (store: StreamStore): string[] => store.fragments.map(({ number }) => number);

describe('FragmentNumbers', () => {
  it('gives 47 digits that grow, also over a restart with a clock that was set back', () => {
    const numbers = new FragmentNumbers(undefined);
    const given = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_999, 1_700_000_000_001].map(
      (nowMs) => numbers.next(nowMs),
    );
    const restarted = new FragmentNumbers(given.at(-1));
    given.push(restarted.next(1_600_000_000_000));
    for (const number of given) assert.match(number, /^\d{47}$/);
    assert.equal(new Set(given).size, given.length);
    assert.deepEqual(given.toSorted(compareNumbers), given);
  });
});

describe('FragmentIndex', () => {
  it('keeps every whole line, wherever a crash cut the file', async () => {
    const path = join(root, 'torn');
    const entry = { ...fragment('1'), crc32: 5 };
    const { index } = await FragmentIndex.open(path);
    await index.add({ ...entry, number: '1' });
    const afterFirst = (await readFile(path)).length;
    await index.add({ ...entry, number: '2' });
    await index.close();
    const whole = await readFile(path);
    const lengths = [-2, -1, 0, 1, 8, 9, 10, 50, 100].map((more) => afterFirst + more);
    for (const length of [0, 5, ...lengths, whole.length - 2, whole.length - 1, whole.length]) {
      await writeFile(path, whole.subarray(0, length));
      const opened = await FragmentIndex.open(path);
      // A line is whole without its newline: the checksum says so.
      const expected = length >= whole.length - 1 ? 2 : length >= afterFirst - 1 ? 1 : 0;
      assert.equal(opened.fragments.length, expected, `cut at ${length}`);
      // What comes next must not be appended to half a line.
      await opened.index.add({ ...entry, number: '3' });
      await opened.index.close();
      const again = await FragmentIndex.open(path);
      assert.equal(again.fragments.at(-1)?.number, '3');
      assert.equal(again.damagedLines, 0);
      await again.index.close();
    }
  });

  it('leaves out a line that rotted and keeps the others', async () => {
    const path = join(root, 'rotten');
    const { index } = await FragmentIndex.open(path);
    for (const number of ['1', '2', '3']) await index.add({ ...fragment(number), crc32: 5 });
    await index.close();
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"number":"2"', '"number":"7"'));
    const opened = await FragmentIndex.open(path);
    assert.deepEqual(
      opened.fragments.map(({ number }) => number),
      ['1', '3'],
    );
    assert.equal(opened.damagedLines, 1);
    await opened.index.close();
  });
});

describe('StreamStore', () => {
  it('has after a restart what it had before', async () => {
    const folder = newFolder();
    await storeThree(folder);
    const store = await openStore(folder);
    assert.deepEqual(numbersOf(store), ['10', '11', '12']);
    assert.equal((await store.read('11')).toString(), 'head 11cluster');
    assert.ok(compareNumbers(store.nextNumber(), '12') > 0);
    await store.close();
  });

  it('drops files without an entry and entries without their file', async () => {
    const folder = newFolder();
    await storeThree(folder);
    await writeFile(join(folder, 'fragments', '13.mkv'), 'a crash came before its entry');
    await writeFile(join(folder, 'fragments', '10.mkv'), 'short');
    await rm(join(folder, 'fragments', '11.mkv'));
    const store = await openStore(folder);
    assert.deepEqual(numbersOf(store), ['12']);
    assert.deepEqual(await readdir(join(folder, 'fragments')), ['12.mkv']);
    await store.close();
  });

  it('refuses to hand out bytes that rotted', async () => {
    const folder = newFolder();
    await storeThree(folder);
    await writeFile(join(folder, 'fragments', '10.mkv'), 'HEAD 10cluster');
    const store = await openStore(folder);
    await assert.rejects(store.read('10'), FragmentGoneError);
    await store.close();
  });

  it('trims what is past its retention, for good', async () => {
    const folder = newFolder();
    const store = await openStore(folder);
    const nowMs = Date.now();
    await store.persist(fragment('10', nowMs - 3 * 3_600_000));
    await store.persist(fragment('11', nowMs - 2 * 3_600_000));
    await store.persist(fragment('12', nowMs - 3_000_000));
    await store.trim(1, nowMs);
    assert.deepEqual(numbersOf(store), ['12']);
    await assert.rejects(store.read('10'), FragmentGoneError);
    await store.close();
    assert.deepEqual(await readdir(join(folder, 'fragments')), ['12.mkv']);
    const again = await openStore(folder);
    assert.deepEqual(numbersOf(again), ['12']);
    await again.close();
  });

  it('keeps what is in memory only within its bounds', async () => {
    const limits = { ...defaultLimits.storage, liveBufferBytes: 40, liveBufferMs: 60_000 };
    const store = await StreamStore.open({ folder: newFolder(), limits, logger: undefined });
    const nowMs = Date.now();
    store.keepInMemory(fragment('10', nowMs - 100_000));
    assert.deepEqual(numbersOf(store), []);
    for (const number of ['11', '12', '13']) store.keepInMemory(fragment(number, nowMs));
    assert.deepEqual(numbersOf(store), ['12', '13']);
    assert.equal((await store.read('13')).toString(), 'head 13cluster');
    await store.close();
  });

  it('puts fragments of overlapping uploads in order', async () => {
    const store = await openStore(newFolder());
    for (const number of ['11', '10', '12']) await store.persist(fragment(number));
    assert.deepEqual(numbersOf(store), ['10', '11', '12']);
    assert.equal(store.after('10')?.number, '11');
    assert.equal(store.after('12'), undefined);
    assert.equal(store.after('0')?.number, '10');
    await store.close();
  });
});
