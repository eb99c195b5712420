/** A master of another make than browsers and GStreamer: what the Bridge stores of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { KvsBridge, analyzeRecording } from '../../lib/index.js';
import { AiortcMaster, missingAiortc } from '../support/aiortc-master.js';
import { decodeErrors } from '../support/decode.js';
import { LocalStack } from '../support/local-stack.js';

const deadline = { signal: AbortSignal.timeout(60_000) };

describe('masters', () => {
  it('records aiortc, every picture of it', { skip: missingAiortc() }, async () => {
    await using stack = await LocalStack.start();
    await using master = await AiortcMaster.start(stack, { codec: 'VP8' });
    const bridge = new KvsBridge({ ...stack.connection, stream: stack.stream, isolation: 'none' });
    await bridge.start();
    while (bridge.totals.fragmentsPersisted < 1) await once(bridge, 'persisted', deadline);
    const { error } = await bridge.stop();
    assert.equal(error, undefined, master.stderr);
    const [first] = await stack.readFragments(await stack.listFragments());
    assert.ok(first !== undefined);
    assert.equal(await decodeErrors(first), '');
    const found = await analyzeRecording(first);
    assert.ok(found.videoFrames > 10);
    assert.equal(found.missingCounters, 0);
  });
});
