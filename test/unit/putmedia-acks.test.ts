import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ackErrorAction, ackErrorIdOf, ackErrorName } from '../../lib/putmedia/ack-errors.js';
import { AckParser } from '../../lib/putmedia/acks.js';
import type { Ack } from '../../lib/putmedia/acks.js';

const number = '91343852333181432511524306419788296366724229586';

/** As captured from AWS, plus what could be thrown at a parser. */
const wire = [
  `{"EventType":"BUFFERING","FragmentTimecode":1663277247152,"FragmentNumber":"${number}"}\n`,
  `{"EventType":"RECEIVED","FragmentTimecode":1663277247152,"FragmentNumber":"${number}"}`,
  `{"EventType":"PERSISTED","FragmentTimecode":1663277247152,"FragmentNumber":"${number}","New":{"a":["}"]}}\r\n`,
  `{"EventType":"ERROR","FragmentTimecode":0,"FragmentNumber":"${number}","ErrorCode":"FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS","ErrorId":4004}\n`,
  `{"EventType":"ERROR","FragmentTimecode":-1,"FragmentNumber":"","ErrorCode":"INVALID_MKV_DATA"}\n`,
  `{ "EventType" : "IDLE", "Note": "a \\"} brace \\\\" }\n`,
  `{"EventType":"Grüße 🎥"}`,
].join('');

const expected: Ack[] = [
  { type: 'buffering', timecodeMs: 1663277247152, fragmentNumber: number },
  { type: 'received', timecodeMs: 1663277247152, fragmentNumber: number },
  { type: 'persisted', timecodeMs: 1663277247152, fragmentNumber: number },
  {
    type: 'error',
    errorId: 4004,
    errorCode: 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS',
    timecodeMs: undefined,
  },
  { type: 'error', errorId: 4006, errorCode: 'INVALID_MKV_DATA', timecodeMs: undefined },
  { type: 'idle' },
  { type: 'ignored', reason: 'unknown EventType "Grüße 🎥"' },
];

const parse = (...pieces: (Uint8Array | string)[]): Ack[] => {
  const parser = new AckParser();
  return pieces.flatMap((piece) =>
    parser.push(typeof piece === 'string' ? Buffer.from(piece) : piece),
  );
};

/** Seeded noise (mulberry32): the same bytes in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe('AckParser', () => {
  it('reads acknowledgements with and without separators', () => {
    assert.deepEqual(parse(wire), expected);
  });

  it('reads them split at each byte, and byte by byte', () => {
    const bytes = Buffer.from(wire);
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(parse(bytes.subarray(0, at), bytes.subarray(at)), expected);
    }
    assert.deepEqual(parse(...[...bytes].map((byte) => Uint8Array.of(byte))), expected);
  });

  it('resumes behind garbage', () => {
    const good = '{"EventType":"IDLE"}';
    for (const garbage of [
      'HTTP/1.1 500 oops\r\n',
      '{"EventType":"PERSIS\n',
      '{not json}',
      '[1,2,3]}}}',
      '{"EventType":42}',
      '{{{{{',
      `{"x":"${'y'.repeat(5000)}"}`,
      '\u0000\uffff',
    ]) {
      const acks = parse(garbage, good);
      assert.deepEqual(acks.at(-1), { type: 'idle' }, garbage.slice(0, 20));
      assert.ok(acks.slice(0, -1).every((ack) => ack.type === 'ignored'));
    }
  });

  it('never throws and recovers within a bounded distance, whatever comes (seeded)', () => {
    const random = createRandom(20);
    const alphabet = Buffer.from('{}{}""\\\n:,EventTypeIDLE0123456789\u00ff[]');
    for (let round = 0; round < 300; round++) {
      const parser = new AckParser();
      const noise = Buffer.from(
        Array.from({ length: Math.floor(random() * 400) }, () =>
          random() < 0.2
            ? Math.floor(random() * 256)
            : (alphabet[Math.floor(random() * alphabet.length)] ?? 0),
        ),
      );
      parser.push(noise);
      // An open object may swallow what follows, up to the longest acknowledgement.
      const good = Buffer.from('\n{"EventType":"IDLE"}'.repeat(300));
      assert.ok(
        parser.push(good).some((ack) => ack.type === 'idle'),
        `round ${String(round)}`,
      );
    }
  });

  it('does not take a fragment for persisted without its timecode', () => {
    for (const timecode of ['', ',"FragmentTimecode":"1"', ',"FragmentTimecode":1e300']) {
      const [ack] = parse(`{"EventType":"PERSISTED"${timecode}}`);
      assert.equal(ack?.type, 'ignored', timecode);
    }
  });

  it('drops a fragment number that lost its digits as a JSON number', () => {
    const [ack] = parse(
      `{"EventType":"PERSISTED","FragmentTimecode":5,"FragmentNumber":${number}}`,
    );
    assert.deepEqual(ack, { type: 'persisted', timecodeMs: 5, fragmentNumber: undefined });
  });
});

describe('ack errors', () => {
  it('have an action each', () => {
    for (const id of [4000, 4003, 5000, 5001, 0, 4999]) assert.equal(ackErrorAction(id), 'resend');
    for (const id of [4001, 4002, 4004, 4006, 4009, 4010, 4011, 4012]) {
      assert.equal(ackErrorAction(id), 'skipFragment');
    }
    for (const id of [4005, 4007, 4008, 4500, 4506, 4507]) {
      assert.equal(ackErrorAction(id), 'slowRetry');
    }
  });

  it('have names, and ids by name', () => {
    assert.equal(ackErrorName(4011), 'FRAMES_MISSING_FOR_TRACK');
    assert.equal(ackErrorName(1), 'UNKNOWN_ACK_ERROR');
    assert.equal(ackErrorIdOf('KMS_KEY_DISABLED'), 4501);
    assert.equal(ackErrorIdOf('toString'), undefined);
  });
});
