/** A peer that vanishes, or is there and sends nothing of use: found out, and for the right cause. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { NativeEvent } from '../../lib/media/native-events.js';
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

/** Long enough for the video to be taken for a steady one. */
const steadyMs = 3_000;

function onceSteady(meddle: Meddle): Meddle {
  return (call) => void setTimeout(meddle, steadyMs, call);
}

/**
 * Loses every other packet for a while, and from some time on all that is sent again: the stream of
 * repetitions (RFC 4588) ends with losses, and then falls silent as it should.
 */
const losesRepetitions: Meddle = ({ link }) => {
  const beganMs = performance.now();
  const media = new Set<number>();
  let packets = 0;
  link.intercept((packet, from) => {
    if (from === 'receiver' || !isRtp(packet)) return packet;
    const sinceMs = performance.now() - beganMs;
    const ssrc = packet.readUInt32BE(8);
    // Without losses nothing is repeated.
    if (sinceMs < 2_000) media.add(ssrc);
    if (!media.has(ssrc)) return sinceMs > 5_500 ? undefined : packet;
    const isLossy = sinceMs > 2_000 && sinceMs < 6_500;
    return isLossy && (packets += 1) % 2 === 0 ? undefined : packet;
  });
};

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
  videoSilent: onceSteady(({ publisher }) => {
    publisher.setSending(false, true);
  }),
  soundPaused: onceSteady(({ publisher }) => {
    publisher.setSending(true, false);
  }),
  paused: onceSteady(({ publisher }) => {
    publisher.setSending(false, false);
  }),
  repetitionsLost: losesRepetitions,
  heavyLoss: onceSteady(({ link, publisher }) => {
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
    const run = (name: keyof typeof calls, options: Partial<LossyCallOptions> = {}) =>
      runLossyCall({ ...neverEnds, onConnected: calls[name], ...options });
    // Three times what a peer that is gone is given.
    const lasting = { durationMs: 10_000 };
    // As of a master that was found to pause as it likes.
    const patient = { ...lasting, silentVideoMs: 60_000 };
    const entries = await Promise.all([
      ...(['partition', 'undecryptable', 'rtpLost', 'nothingSent', 'videoSilent'] as const).map(
        async (name) => [name, await run(name)] as const,
      ),
      // Two reports behind the losses.
      run('repetitionsLost', { durationMs: 17_000 }).then(
        (call) => ['repetitionsLost', call] as const,
      ),
      run('soundPaused', lasting).then((call) => ['soundPaused', call] as const),
      run('paused', patient).then((call) => ['paused', call] as const),
      run('heavyLoss', patient).then((call) => ['heavyLoss', call] as const),
    ]);
    results = Object.fromEntries(entries) as typeof results;
  });

  it('that is cut off has lost its consent', (context) => {
    const { error, afterMs } = failureOf(results.partition);
    context.diagnostic(`${String(Math.round(afterMs - 1_000))} ms: ${error.message}`);
    assert.equal(error.kind, 'peerLost');
    assert.match(error.message, /consent is lost/);
    assert.ok(afterMs - 1_000 < detectedWithinMs);
  });

  it('whose packets make no frames is given up', (context) => {
    const { error, afterMs } = failureOf(results.undecryptable);
    context.diagnostic(`${String(Math.round(afterMs - 1_000))} ms: ${error.message}`);
    assert.equal(error.kind, 'noMedia');
    // Whichever shows first.
    assert.match(error.message, /no frame came of them|nothing of it got through/);
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

  it('whose video stops while its sound goes on gets a fresh session', (context) => {
    const { error, afterMs } = failureOf(results.videoSilent);
    context.diagnostic(`${String(Math.round(afterMs - steadyMs))} ms: ${error.message}`);
    assert.equal(error.kind, 'noMedia');
    assert.match(error.message, /video stopped .* while it sends something else/);
    assert.ok(afterMs - steadyMs < detectedWithinMs);
  });

  it('that repeats nothing any more keeps its session', () => {
    const call = results.repetitionsLost;
    const fatal = call.events.find((event) => event.type === 'error' && event.fatal);
    assert.equal(fatal, undefined);
    const stats = call.events.filter((event) => event.type === 'stats').at(-1);
    assert.ok((stats?.video.nacksSent ?? 0) > 10, 'nothing was asked for again');
    assert.ok((call.eventTimesMs.at(-1) ?? 0) >= 17_000);
  });

  const pauses = {
    soundPaused: 'its sound',
    paused: 'as it likes',
    heavyLoss: 'as it likes, behind a bad network',
  } as const;
  for (const [name, what] of Object.entries(pauses)) {
    it(`that pauses ${what} keeps its session`, () => {
      const call = results[name as keyof typeof pauses];
      const fatal = call.events.find((event) => event.type === 'error' && event.fatal);
      assert.equal(fatal, undefined);
      assert.ok(call.framesReceived > 0);
      assert.ok((call.eventTimesMs.at(-1) ?? 0) >= 10_000);
    });
  }
});
