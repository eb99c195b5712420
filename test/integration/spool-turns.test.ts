/** Two bridges on one machine that record into one stream: the second one says why it waits. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { KvsBridgeError } from '../../lib/util/errors.js';
import { SpoolPlace } from '../support/spool.js';

const deadline = { signal: AbortSignal.timeout(20_000) };

describe('A spool whose stream is in use', () => {
  it('says who uploads and what to do, once', async () => {
    await using place = await SpoolPlace.create();
    const first = place.open();
    if (!first.mayUpload) await once(first, 'mayUpload', deadline);
    const second = place.open({ patienceMs: 50 });
    const warnings: KvsBridgeError[] = [];
    second.on('warning', (warning) => warnings.push(warning));
    await once(second, 'warning', deadline);
    const taken = once(second, 'mayUpload', deadline);
    await first.close();
    await taken;
    const [warning] = warnings;
    assert.equal(warnings.length, 1);
    assert.equal(warning?.code, 'KVSB_STREAM_IN_USE');
    assert.ok(warning.message.includes(`Process ${String(process.pid)} `), warning.message);
    assert.match(warning.fix ?? '', /Stop that process, or record into another stream/);
    await second.close();
  });

  it('says nothing of a turn that comes soon', async () => {
    await using place = await SpoolPlace.create();
    const first = place.open();
    if (!first.mayUpload) await once(first, 'mayUpload', deadline);
    const second = place.open();
    second.on('warning', (warning) => assert.fail(warning.message));
    const taken = once(second, 'mayUpload', deadline);
    await first.close();
    await taken;
    await second.close();
  });
});
