/** A peer that vanishes, or is there and sends nothing of use: found out, and for the right cause. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { NativeEvent } from '../../lib/media/native.js';
import { runLossyCall } from '../support/lossy-call.js';
import type { LossyCall, LossyCallOptions } from '../support/lossy-call.js';

/** Five are required; the rest is for a loaded machine. */
const detectedWithinMs = 8_000;

/** SRTP leaves RTP's header readable, and SRTCP has payload types of its own (RFC 5761). */
function isRtp(packet: Buffer): boolean {
  const [first = 0, second = 0] = packet;
  const payloadType = second & 0x7f;
  return first >= 128 && first <= 191 && (payloadType < 64 || payloadType > 95);
}

/** A copy whose payload no longer passes SRTP's check. */
function damaged(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 0xff, copy.length - 1);
  return copy;
}

type Meddle = NonNullable<LossyCallOptions['onConnected']>;

const neverEnds = { jitterBufferMs: 200, framesSent: Infinity, seed: 1, conditions: {} } as const;

/** Meddles once media has flowed for a second. */
function afterASecond(meddle: Meddle): Meddle {
  return (call) => void setTimeout(meddle, 1_000, call);
}

const calls = {
  partition: afterASecond(({ link }) => {
    link.intercept(() => undefined);
  }),
  undecryptable: afterASecond(({ link }) => {
    link.intercept((packet) => (isRtp(packet) ? damaged(packet) : packet));
  }),
  rtpLost: afterASecond(({ link }) => {
    link.intercept((packet) => (isRtp(packet) ? undefined : packet));
  }),
  nothingSent: (({ publisher }) => {
    publisher.setSending(false, false);
  }) satisfies Meddle,
  paused: afterASecond(({ publisher }) => {
    publisher.setSending(false, false);
  }),
  heavyLoss: afterASecond(({ link, publisher }) => {
    publisher.setSending(false, false);
    link.set({ lossPercent: 30, delayMs: 50 });
  }),
};

/** What ended a call by itself, and when. */
function failureOf({ events, eventTimesMs }: LossyCall): {
  readonly error: Extract<NativeEvent, { type: 'error' }>;
  readonly afterMs: number;
} {
  const index = events.findIndex((event) => event.type === 'error' && event.fatal);
  const error = events[index];
  assert.ok(error?.type === 'error', 'the call did not end by itself');
  return { error, afterMs: eventTimesMs[index] ?? NaN };
}

describe('a peer', () => {
  let results: Readonly<Record<keyof typeof calls, LossyCall>>;

  before(async () => {
    const run = (name: keyof typeof calls, durationMs?: number): Promise<LossyCall> =>
      runLossyCall({
        ...neverEnds,
        onConnected: calls[name],
        ...(durationMs === undefined ? {} : { durationMs }),
      });
    const [partition, undecryptable, rtpLost, nothingSent, paused, heavyLoss] = await Promise.all([
      run('partition'),
      run('undecryptable'),
      run('rtpLost'),
      run('nothingSent'),
      // Three times what a peer that is gone is given.
      run('paused', 10_000),
      run('heavyLoss', 10_000),
    ]);
    results = { partition, undecryptable, rtpLost, nothingSent, paused, heavyLoss };
  });

  it('that is cut off has lost its consent', (context) => {
    const { error, afterMs } = failureOf(results.partition);
    context.diagnostic(`${String(Math.round(afterMs - 1_000))} ms: ${error.message}`);
    assert.equal(error.kind, 'peerLost');
    assert.match(error.message, /consent is lost/);
    assert.ok(afterMs - 1_000 < detectedWithinMs);
  });

  it('whose packets make no frames is asked for a keyframe, then given up', (context) => {
    const { error, afterMs } = failureOf(results.undecryptable);
    context.diagnostic(`${String(Math.round(afterMs - 1_000))} ms: ${error.message}`);
    assert.equal(error.kind, 'noMedia');
    assert.match(error.message, /no frame came of them/);
    assert.ok(afterMs - 1_000 < detectedWithinMs);
  });

  it('whose reports count packets that never come is given up', (context) => {
    const { error, afterMs } = failureOf(results.rtpLost);
    context.diagnostic(`${String(Math.round(afterMs - 1_000))} ms: ${error.message}`);
    assert.equal(error.kind, 'noMedia');
    assert.match(error.message, /reports that it sends/);
  });

  it('that never sends is given up', (context) => {
    const { error, afterMs } = failureOf(results.nothingSent);
    context.diagnostic(`${String(Math.round(afterMs))} ms: ${error.message}`);
    assert.equal(error.kind, 'noMedia');
    assert.match(error.message, /sent no media/);
    assert.ok(afterMs < detectedWithinMs);
  });

  for (const name of ['paused', 'heavyLoss'] as const) {
    it(`that pauses keeps its session${name === 'paused' ? '' : ', behind a bad network too'}`, () => {
      const call = results[name];
      const fatal = call.events.find((event) => event.type === 'error' && event.fatal);
      assert.equal(fatal, undefined);
      assert.ok(call.framesReceived > 0);
      assert.ok((call.eventTimesMs.at(-1) ?? 0) >= 10_000);
    });
  }
});
