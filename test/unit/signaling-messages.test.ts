import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionsError, SignalingError } from '../../lib/util/errors.js';
import {
  buildMessage,
  checkClientId,
  maxFrameBytes,
  maxPayloadLength,
  parseMessage,
} from '../../lib/signaling/messages.js';
import type { InboundMessage } from '../../lib/signaling/messages.js';

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const parse = (value: unknown): InboundMessage =>
  parseMessage(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), false);

const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const candidate = 'candidate:1 1 udp 2113937151 192.0.2.7 54321 typ host';

describe('parseMessage', () => {
  it('reads an offer with its sender', () => {
    const message = parse({
      messagePayload: base64({ type: 'offer', sdp }),
      messageType: 'SDP_OFFER',
      senderClientId: 'viewer-1',
    });
    assert.deepEqual(message, { type: 'offer', body: { sdp, senderClientId: 'viewer-1' } });
  });

  it('reads an answer without a sender, and with an empty one', () => {
    const messagePayload = base64({ type: 'answer', sdp });
    for (const extra of [{}, { senderClientId: '' }, { senderClientId: null }]) {
      const message = parse({ messagePayload, messageType: 'SDP_ANSWER', ...extra });
      assert.deepEqual(message, { type: 'answer', body: { sdp } });
    }
  });

  it('reads a candidate, and leaves out what is null', () => {
    const full = { candidate, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'abcd' };
    assert.deepEqual(parse({ messageType: 'ICE_CANDIDATE', messagePayload: base64(full) }), {
      type: 'candidate',
      body: { candidate: full },
    });
    const sparse = { candidate, sdpMid: null, sdpMLineIndex: null };
    assert.deepEqual(parse({ messageType: 'ICE_CANDIDATE', messagePayload: base64(sparse) }), {
      type: 'candidate',
      body: { candidate: { candidate } },
    });
  });

  it('passes the end of candidates on', () => {
    const messagePayload = base64({ candidate: '' });
    assert.equal(parse({ messageType: 'ICE_CANDIDATE', messagePayload }).type, 'candidate');
  });

  it('reads the service messages, with empty payloads too', () => {
    assert.deepEqual(parse({ messageType: 'GO_AWAY' }), { type: 'goAway' });
    assert.deepEqual(parse({ messageType: 'RECONNECT_ICE_SERVER', messagePayload: '' }), {
      type: 'reconnectIceServer',
    });
  });

  it('reads a status response, numbers as strings', () => {
    const statusResponse = {
      correlationId: 'c1',
      errorType: 'InvalidArgumentException',
      statusCode: '400',
      description: 'bad\nthing',
    };
    assert.deepEqual(parse({ messageType: 'STATUS_RESPONSE', statusResponse }), {
      type: 'status',
      body: { ...statusResponse, description: 'bad thing' },
    });
    assert.deepEqual(
      parse({ messageType: 'STATUS_RESPONSE', statusResponse: { statusCode: 500 } }),
      {
        type: 'status',
        body: { statusCode: '500' },
      },
    );
  });

  it('ignores unknown keys but not unknown types', () => {
    const messagePayload = base64({ type: 'answer', sdp, extra: 1 });
    assert.equal(parse({ messageType: 'SDP_ANSWER', messagePayload, more: [] }).type, 'answer');
    assert.deepEqual(parse({ messageType: 'PRESENCE', messagePayload: '' }), {
      type: 'ignored',
      body: { reason: 'an unknown message type', messageType: 'PRESENCE' },
    });
  });

  for (const [title, value] of [
    ['empty', ''],
    ['white space', ' \n'],
    ['truncated', '{"messageType":"SDP_OFF'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a number', '17'],
    ['no type', '{}'],
    ['a type that is no string', '{"messageType":{"a":1}}'],
    ['a type with control characters', { messageType: 'SDP_OFFER\n' }],
    ['no payload', { messageType: 'SDP_OFFER' }],
    ['a null payload', { messageType: 'SDP_OFFER', messagePayload: null }],
    ['a payload that is no base64', { messageType: 'SDP_OFFER', messagePayload: '{"sdp":1}' }],
    ['a payload that is no JSON', { messageType: 'SDP_OFFER', messagePayload: 'AAAA' }],
    ['an SDP that is no string', { messageType: 'SDP_OFFER', messagePayload: base64({ sdp: 1 }) }],
    ['an SDP that is none', { messageType: 'SDP_OFFER', messagePayload: base64({ sdp: 'x' }) }],
    [
      'an SDP with a NUL',
      { messageType: 'SDP_OFFER', messagePayload: base64({ sdp: `${sdp}\0` }) },
    ],
    [
      'an answer in an offer',
      { messageType: 'SDP_OFFER', messagePayload: base64({ type: 'answer', sdp }) },
    ],
    [
      'a line break in a candidate',
      {
        messageType: 'ICE_CANDIDATE',
        messagePayload: base64({ candidate: `${candidate}\r\na=x` }),
      },
    ],
    [
      'a negative line index',
      { messageType: 'ICE_CANDIDATE', messagePayload: base64({ candidate, sdpMLineIndex: -1 }) },
    ],
    [
      'a sender with a line break',
      {
        messageType: 'SDP_OFFER',
        messagePayload: base64({ type: 'offer', sdp }),
        senderClientId: 'a\nb',
      },
    ],
    ['a status that is none', { messageType: 'STATUS_RESPONSE', statusResponse: 'x' }],
    ['deep nesting', '['.repeat(100_000)],
    ['too long', 'x'.repeat(maxFrameBytes + 1)],
  ] as const) {
    it(`ignores a message that is ${title}`, () => {
      assert.equal(parse(value).type, 'ignored');
    });
  }

  it('ignores invalid UTF-8 and binary frames', () => {
    assert.equal(parseMessage(Buffer.from([0x7b, 0xff, 0x7d]), false).type, 'ignored');
    assert.equal(parseMessage(Buffer.from('{"messageType":"GO_AWAY"}'), true).type, 'ignored');
  });

  it('survives thousands of damaged messages', () => {
    const random = seededRandom(20_260_304);
    const valid = [
      {
        messageType: 'SDP_OFFER',
        messagePayload: base64({ type: 'offer', sdp }),
        senderClientId: 'v',
      },
      { messageType: 'SDP_ANSWER', messagePayload: base64({ type: 'answer', sdp }) },
      { messageType: 'ICE_CANDIDATE', messagePayload: base64({ candidate, sdpMid: '0' }) },
      { messageType: 'STATUS_RESPONSE', statusResponse: { correlationId: 'c', statusCode: '400' } },
      { messageType: 'GO_AWAY' },
    ];
    const seen = new Set<string>();
    for (let round = 0; round < 8000; round += 1) {
      const message = valid[random(valid.length)] ?? valid[0];
      const frame =
        round % 2 === 0
          ? damageBytes(Buffer.from(JSON.stringify(message)), random)
          : Buffer.from(JSON.stringify(damageValue(message, random)));
      const result = parseMessage(frame, false);
      seen.add(result.type);
      if (result.type === 'offer' || result.type === 'answer') {
        assert.ok(result.body.sdp.startsWith('v=0'));
      } else if (result.type === 'candidate') {
        assert.doesNotMatch(result.body.candidate.candidate, /\p{Cc}/u);
      }
    }
    // The damage is neither total nor harmless.
    for (const type of ['ignored', 'offer', 'answer', 'candidate', 'status', 'goAway']) {
      assert.ok(seen.has(type), `${type} never came out`);
    }
  });
});

describe('buildMessage', () => {
  it('writes the keys as the JS SDK does', () => {
    const text = buildMessage({
      action: 'SDP_OFFER',
      payload: { type: 'offer', sdp },
      correlationId: 'c-1',
    });
    assert.deepEqual(JSON.parse(text), {
      action: 'SDP_OFFER',
      messagePayload: base64({ type: 'offer', sdp }),
      correlationId: 'c-1',
    });
  });

  it('names the recipient of a master', () => {
    const text = buildMessage({
      action: 'ICE_CANDIDATE',
      payload: { candidate, sdpMid: '0', sdpMLineIndex: 0 },
      recipientClientId: 'viewer-1',
      correlationId: 'c-2',
    });
    assert.deepEqual(JSON.parse(text), {
      action: 'ICE_CANDIDATE',
      messagePayload: base64({ candidate, sdpMid: '0', sdpMLineIndex: 0 }),
      recipientClientId: 'viewer-1',
      correlationId: 'c-2',
    });
  });

  it('refuses a payload beyond the limit, and names the size', () => {
    const build = (length: number): string =>
      buildMessage({
        action: 'SDP_OFFER',
        payload: { type: 'offer', sdp: 'v'.repeat(length) },
        correlationId: 'c',
      });
    const overhead = JSON.stringify({ type: 'offer', sdp: '' }).length;
    const largest = (maxPayloadLength / 4) * 3 - overhead;
    assert.ok(build(largest).length > maxPayloadLength);
    assert.throws(
      () => build(largest + 1),
      (error) =>
        error instanceof SignalingError &&
        error.code === 'KVSB_SIGNALING' &&
        error.message.includes('10004') &&
        error.fix !== undefined,
    );
  });

  it('refuses a correlation id that the service would', () => {
    const payload = { candidate };
    for (const correlationId of ['', 'a b', 'x'.repeat(257)]) {
      assert.throws(
        () => buildMessage({ action: 'ICE_CANDIDATE', payload, correlationId }),
        OptionsError,
      );
    }
  });
});

describe('checkClientId', () => {
  it('accepts what KVS accepts', () => {
    for (const id of ['a', 'Viewer_1.2-3', 'x'.repeat(256), 'xAWS_']) checkClientId(id);
  });
  it('refuses the rest', () => {
    for (const id of ['', 'a b', 'ä', 'x'.repeat(257), 'AWS_x', 'aws_x', 'a\n']) {
      assert.throws(() => checkClientId(id), OptionsError);
    }
  });
});

/** Lehmer's generator: the same numbers on every run. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function damageBytes(frame: Buffer, random: (below: number) => number): Buffer {
  const result = Buffer.from(frame);
  switch (random(4)) {
    case 0:
      return result.subarray(0, random(result.length + 1));
    case 1:
      for (let count = random(8); count >= 0; count -= 1) {
        result[random(result.length)] = random(256);
      }
      return result;
    case 2:
      return Buffer.concat([result.subarray(random(result.length)), result]);
    default:
      result[random(result.length)] = random(256);
      return result;
  }
}

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  '\0',
  '__proto__',
  [],
  {},
  { toString: 1 },
  ['SDP_OFFER'],
  'é'.repeat(300),
  base64({ sdp: ['v=0'] }),
  base64({ candidate: 'candidate:\r\n' }),
  base64(null),
  base64('x'),
];

function damageValue(message: unknown, random: (below: number) => number): unknown {
  const odd = oddValues[random(oddValues.length)];
  if (typeof message !== 'object' || message === null || random(12) === 0) return odd;
  const entries = Object.entries(message as Record<string, unknown>).map(
    ([key, value]): [string, unknown] => [
      random(8) === 0 ? `${key}x` : key,
      random(3) === 0 ? odd : value,
    ],
  );
  return Object.fromEntries(random(6) === 0 ? entries.slice(1) : entries);
}
