/** Metadata of fragments, from the options and the API to what AWS's stock clients read back. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { KvsBridge, OptionsError, TestMaster } from '../../lib/index.js';
import type { BridgeGap } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';
import { producerTags } from '../support/stored-media.js';

describe('fragment metadata', () => {
  it('stays with the fragments it was put on, in every session', async () => {
    await using stack = await LocalStack.start();
    await using master = new TestMaster({
      ...stack.connection,
      ...{ width: 480, height: 272, videoBitrateBps: 300_000, audio: false },
    });
    await master.start();
    await using bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      fragmentTargetMs: 1_000,
      tags: { site: 'Ålesund, quay 4', door: 'front' },
    });
    let persisted = 0;
    bridge.on('persisted', () => (persisted += 1));
    const untilPersisted = (more: number): Promise<unknown> => {
      const enough = persisted + more;
      return eventThat(bridge, 'persisted', () => persisted >= enough, 30_000);
    };
    bridge.putFragmentMetadata('opened-by', 'key 7');
    await bridge.start();
    await untilPersisted(1);
    const before = persisted;
    bridge.putFragmentMetadata('shift', 'night', { persistent: true });
    bridge.putFragmentMetadata('door', '', { persistent: true });
    bridge.putFragmentMetadata('alarm', 'smoke');
    await untilPersisted(4);
    const pid = bridge.mediaProcessId;
    assert.ok(pid !== undefined);
    const gap = eventThat(bridge, 'gap', () => true, 30_000);
    const again = eventThat(bridge, 'state', ({ state }) => state === 'recording', 30_000);
    process.kill(pid, 'SIGKILL');
    await again;
    const [{ fromMs, toMs, cause }] = (await gap) as [BridgeGap];
    await bridge.stop();

    const files = await stack.readFragments(await stack.listFragments());
    const tags = await Promise.all(
      files.map(async (file) => {
        const entries = producerTags(await readFile(file)).map(
          ({ name, value }) => [name, value] as const,
        );
        assert.equal(new Set(entries.map(([name]) => name)).size, entries.length);
        return Object.fromEntries(entries);
      }),
    );
    const indexesOf = (name: string): number[] =>
      tags.flatMap((entry, index) => (name in entry ? [index] : []));
    const all = tags.map((_, index) => index);
    assert.ok(tags.every(({ site }) => site === 'Ålesund, quay 4'));
    assert.deepEqual(indexesOf('opened-by'), [0]);
    const [alarmAt = 0, ...otherAlarms] = indexesOf('alarm');
    assert.deepEqual(otherAlarms, []);
    assert.ok(alarmAt >= before, 'the tag is on a fragment from before it was put');
    // What is persistent holds from then on, and for the session that followed.
    const [shiftAt = 0] = indexesOf('shift');
    assert.ok(shiftAt >= before && shiftAt <= alarmAt);
    assert.deepEqual(indexesOf('shift'), all.slice(shiftAt));
    const lastDoor = indexesOf('door').at(-1) ?? 0;
    assert.deepEqual(indexesOf('door'), all.slice(0, lastDoor + 1));
    assert.ok(lastDoor < alarmAt);
    const sessions = tags.map((entry) => entry['kvsb-session'] ?? '');
    assert.ok(sessions.every((id) => /^[\da-f-]{36}$/.test(id)));
    assert.equal(new Set(sessions).size, 2);
    // The first fragment after the gap, which is in another session, tells of it.
    const back = sessions.findIndex((id) => id !== sessions[0]);
    const { 'kvsb-gap-ms': gapMs, 'kvsb-gap-cause': gapCause } = tags[back] ?? {};
    assert.equal(cause, 'media-process');
    assert.equal(gapCause, cause);
    assert.deepEqual(indexesOf('kvsb-gap-cause'), [back]);
    // What was on disk and not yet stored is known to the ledger only, some seconds at most.
    const longerByMs = Number(gapMs) - (toMs - fromMs);
    assert.ok(longerByMs > -100 && longerByMs < 6_000, `${String(gapMs)} ms, ${fromMs} to ${toMs}`);
    assert.ok(tags.every((entry) => Object.keys(entry).length <= 10));
  });

  it('is refused with the name and the fix when KVS would refuse it', () => {
    const options = { channel: 'c', stream: 's', region: 'us-east-1' };
    const bridge = new KvsBridge({
      ...options,
      tags: { a: '1', b: '2', c: '3', d: '4', e: '5' },
    });
    const refused = (name: string, words: RegExp) => (error: unknown) => {
      assert.ok(error instanceof OptionsError);
      assert.ok(error.message.includes(JSON.stringify(name)), error.message);
      assert.match(error.message, words);
      assert.ok(error.fix !== undefined);
      return true;
    };
    const cases = [
      ['', 'x', /name of 0 bytes/],
      ['n'.repeat(129), 'x', /name of 129 bytes/],
      ['ø'.repeat(65), 'x', /name of 130 bytes/],
      ['AWS_KINESISVIDEO_NOTIFICATION', 'x', /begins with AWS/],
      ['awsome', 'x', /begins with AWS/],
      ['kvsb-session', 'x', /begins with kvsb-/],
      ['empty', '', /value of 0 bytes/],
      ['long', 'v'.repeat(257), /value of 257 bytes/],
    ] as const;
    for (const [name, value, words] of cases) {
      assert.throws(
        () => {
          bridge.putFragmentMetadata(name, value);
        },
        refused(name, words),
      );
      assert.throws(() => new KvsBridge({ ...options, tags: { [name]: value } }), OptionsError);
    }
    bridge.putFragmentMetadata('f', '6', { persistent: true });
    const putSeventh = (): void => {
      bridge.putFragmentMetadata('g', '7', { persistent: true });
    };
    assert.throws(putSeventh, refused('g', /one too many: at most 6/));
    // Another value needs no other place, and a place can be given back.
    bridge.putFragmentMetadata('f', '66', { persistent: true });
    bridge.putFragmentMetadata('a', '', { persistent: true });
    putSeventh();
  });
});
