import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Mailbox } from '../../lib/local/signaling/mailbox.js';
import type { WaitingMessage } from '../../lib/local/signaling/mailbox.js';
import { parseMessage } from '../../lib/local/signaling/messages.js';
import { TokenBucket } from '../../lib/local/signaling/token-bucket.js';

function message(
  kind: WaitingMessage['kind'],
  text: string,
  expiresAtMs = 1000,
  sender: string | undefined = 'a',
): WaitingMessage {
  return { kind, text, sender, expiresAtMs };
}

const texts = (messages: readonly WaitingMessage[]): string[] => messages.map(({ text }) => text);

describe('Mailbox', () => {
  it('keeps the order, and candidates behind the offer that replaces theirs', () => {
    const mailbox = new Mailbox();
    for (const [kind, text] of [
      ['SDP_OFFER', 'old'],
      ['ICE_CANDIDATE', 'c1'],
      ['ICE_CANDIDATE', 'c2'],
      ['SDP_OFFER', 'new'],
      ['ICE_CANDIDATE', 'c3'],
    ] as const) {
      mailbox.put(message(kind, text));
    }
    assert.deepEqual(texts(mailbox.takeAll(0)), ['new', 'c1', 'c2', 'c3']);
    assert.deepEqual(mailbox.takeAll(0), []);
  });

  it('tells senders and kinds apart', () => {
    const mailbox = new Mailbox();
    mailbox.put(message('SDP_OFFER', 'a'));
    mailbox.put(message('SDP_OFFER', 'b', 1000, 'b'));
    mailbox.put(message('SDP_ANSWER', 'c'));
    assert.deepEqual(texts(mailbox.takeAll(0)), ['a', 'b', 'c']);
  });

  it('drops what is past its time', () => {
    const mailbox = new Mailbox();
    mailbox.put(message('ICE_CANDIDATE', 'early', 100));
    mailbox.put(message('ICE_CANDIDATE', 'late', 200));
    assert.deepEqual(texts(mailbox.takeAll(100)), ['late']);
  });

  it('is bounded', () => {
    const mailbox = new Mailbox();
    for (let index = 0; index < 1001; index += 1) {
      mailbox.put(message('ICE_CANDIDATE', String(index)));
    }
    const kept = texts(mailbox.takeAll(0));
    assert.equal(kept.length, 1000);
    assert.equal(kept[0], '1');
  });
});

describe('parseMessage', () => {
  const parse = (value: unknown): ReturnType<typeof parseMessage> =>
    parseMessage(typeof value === 'string' ? value : JSON.stringify(value), 100);

  it('reads the spelling of the JavaScript SDK and of the C SDK', () => {
    const expected = {
      message: {
        kind: 'SDP_OFFER',
        recipientClientId: 'v',
        payload: 'eA==',
        correlationId: 'c1',
      },
    };
    assert.deepEqual(
      parse({
        action: 'SDP_OFFER',
        messagePayload: 'eA==',
        recipientClientId: 'v',
        correlationId: 'c1',
      }),
      expected,
    );
    assert.deepEqual(
      parse({
        action: 'SDP_OFFER',
        MessagePayload: 'eA==',
        RecipientClientId: 'v',
        CorrelationId: 'c1',
        IceServerList: [],
      }),
      expected,
    );
  });

  it('takes empty members for none', () => {
    const parsed = parse({
      action: 'ICE_CANDIDATE',
      MessagePayload: 'eA==',
      RecipientClientId: '',
      CorrelationId: '',
    });
    assert.ok('message' in parsed);
    assert.equal(parsed.message.recipientClientId, undefined);
    assert.equal(parsed.message.correlationId, undefined);
  });

  for (const [what, value] of [
    ['text', 'hello'],
    ['a list', '[]'],
    ['null', 'null'],
    ['nothing', ''],
  ] as const) {
    it(`cannot answer ${what}`, () => {
      assert.deepEqual(parse(value), { refusal: undefined });
    });
  }

  for (const [what, value] of [
    ['an unknown action', { action: 'PING', messagePayload: 'x' }],
    ['no payload', { action: 'SDP_OFFER' }],
    ['a payload that is no text', { action: 'SDP_OFFER', messagePayload: 5 }],
    ['a long payload', { action: 'SDP_OFFER', messagePayload: 'x'.repeat(101) }],
  ] as const) {
    it(`refuses ${what}, naming the message`, () => {
      const parsed = parse({ ...value, correlationId: 'c1' });
      assert.ok('refusal' in parsed);
      assert.equal(parsed.refusal?.correlationId, 'c1');
      assert.equal(parsed.refusal.errorType, 'InvalidArgumentException');
    });
  }
});

describe('TokenBucket', () => {
  it('allows a burst, then the rate', () => {
    const bucket = new TokenBucket(10, 0);
    const allowed = (nowMs: number): number => {
      let taken = 0;
      while (bucket.take(nowMs)) taken += 1;
      return taken;
    };
    assert.equal(allowed(0), 15);
    assert.equal(allowed(99), 0);
    assert.equal(allowed(100), 1);
    assert.equal(allowed(60_000), 15);
  });
});
