import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ElementTooLargeError, MkvError } from '../../lib/local/mkv/mkv-error.js';
import { MkvStreamReader } from '../../lib/local/mkv/stream-reader.js';
import type { MkvToken } from '../../lib/local/mkv/stream-reader.js';
import { readTags, tagsElement } from '../../lib/local/mkv/tags.js';
import { element, elementHeader, uintElement } from '../../lib/local/mkv/writer.js';
import {
  audioTrack,
  ebml,
  endOfFragment,
  mkvHeader,
  second,
  seededRandom,
  simpleBlock,
  tags,
  uint,
  videoTrack,
} from '../support/mkv.js';

const limits = { maxBlockBytes: 10_000, maxMetadataBytes: 1000 };

function tokensOf(chunks: Iterable<Buffer>): string[] {
  const reader = new MkvStreamReader(limits);
  const tokens: string[] = [];
  const take = (read: Iterable<MkvToken>): void => {
    for (const token of read) {
      const payload = token.kind === 'element' ? ` ${token.payload.toString('hex')}` : '';
      tokens.push(`${token.kind} ${token.id.toString(16)}${payload}`);
    }
  };
  for (const chunk of chunks) take(reader.push(chunk));
  take(reader.end());
  return tokens;
}

const withoutPayload = (token: string): string => token.split(' ').slice(0, 2).join(' ');

const upload = Buffer.concat([
  mkvHeader([videoTrack, audioTrack]),
  tags({ colour: 'red' }),
  second(1000),
  second(2000),
  endOfFragment,
]);

describe('MkvStreamReader', () => {
  it('closes clusters of unknown size where the next thing begins', () => {
    const block = 'element a3';
    const clusterTokens = [
      'open 1f43b675',
      'element e7',
      'element a7',
      ...new Array<string>(10).fill(block),
      'close 1f43b675',
    ];
    assert.deepEqual(tokensOf([upload]).map(withoutPayload), [
      'element 1a45dfa3',
      'open 18538067',
      'element 1549a966',
      'element 1654ae6b',
      'element 1254c367',
      ...clusterTokens,
      ...clusterTokens,
      'element 1254c367',
      'close 18538067',
    ]);
  });

  it('reads the same whatever the chunks: cut at every byte, and byte by byte', () => {
    const expected = tokensOf([upload]);
    for (let cut = 1; cut < upload.length; cut += 1) {
      assert.deepEqual(tokensOf([upload.subarray(0, cut), upload.subarray(cut)]), expected);
    }
    const bytes = Array.from(upload, (byte) => Buffer.from([byte]));
    assert.deepEqual(tokensOf(bytes), expected);
  });

  it('reads blocks that span many large chunks', () => {
    const data = Buffer.alloc(9000, 7);
    const block = simpleBlock({ track: 1, at: 0, data });
    const body = Buffer.concat([second(1000), block]);
    const chunks = [mkvHeader()];
    for (let offset = 0; offset < body.length; offset += 4097) {
      chunks.push(body.subarray(offset, offset + 4097));
    }
    assert.ok(tokensOf(chunks).some((token) => token.endsWith(data.toString('hex'))));
  });

  it('takes known sizes of Segment and Cluster, and small size fields', () => {
    const inner = element(0x1f43b675, uintElement(0xe7, 5), Buffer.from('a3858100008001', 'hex'));
    const segment = Buffer.concat([elementHeader(0x18538067, inner.length), inner]);
    assert.deepEqual(tokensOf([element(0x1a45dfa3), segment]), [
      'element 1a45dfa3 ',
      'open 18538067',
      'open 1f43b675',
      'element e7 05',
      'element a3 8100008001',
      'close 1f43b675',
      'close 18538067',
    ]);
  });

  const bad: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['an id of five bytes', Buffer.from([0x08, 1, 2, 3, 4, 0x80])],
    ['an id that begins with zeros', Buffer.alloc(16)],
    ['a size of nine bytes', Buffer.from([0xec, 0, 1, 2, 3, 4, 5, 6, 7, 8])],
    ['an element that cannot stand at the root', ebml('a3', Buffer.from('frame'))],
    ['a size beyond 2^53', Buffer.from('ec01fffffffffffffe', 'hex')],
    ['an unknown size of an ordinary element', Buffer.from('ecff', 'hex')],
    ['metadata above its limit', ebml('ec', Buffer.alloc(1001))],
    ['a cluster outside a segment', second(1)],
    [
      'a child that reaches beyond its parent',
      Buffer.concat([
        Buffer.from('18538067', 'hex'),
        Buffer.from([0x82]),
        Buffer.from('ec85', 'hex'),
      ]),
    ],
    [
      'a segment inside a cluster of known size',
      Buffer.from('18538067ff1f43b6758a18538067ff', 'hex'),
    ],
    ['an end inside an element', Buffer.from('ec8501', 'hex')],
    ['an end inside a known size', Buffer.from('1853806785ec80', 'hex')],
  ];
  for (const [what, bytes] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => tokensOf([bytes]), MkvError);
    });
  }

  it('refuses a block above its limit before its bytes come', () => {
    const reader = new MkvStreamReader(limits);
    const head = Buffer.concat([mkvHeader(), second(1), Buffer.from('a30100000010000000', 'hex')]);
    assert.throws(
      () => [...reader.push(head)],
      (error) => error instanceof ElementTooLargeError && error.isMedia,
    );
  });

  it('survives damage of every kind with an error of its own', () => {
    const random = seededRandom(20_261_121);
    let refused = 0;
    for (let round = 0; round < 3000; round += 1) {
      const damaged = Buffer.from(upload);
      const hits = 1 + Math.floor(random() * 4);
      for (let hit = 0; hit < hits; hit += 1) {
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      }
      const cut = Math.floor(random() * damaged.length);
      try {
        tokensOf([damaged.subarray(0, cut), damaged.subarray(cut)]);
      } catch (error) {
        assert.ok(error instanceof MkvError, String(error));
        refused += 1;
      }
    }
    assert.ok(refused > 500, `${refused} of 3000 were refused`);
  });

  it('survives noise', () => {
    const random = seededRandom(7);
    let refused = 0;
    for (let round = 0; round < 2000; round += 1) {
      const noise = Buffer.from(Array.from({ length: 64 }, () => Math.floor(random() * 256)));
      try {
        tokensOf([noise]);
      } catch (error) {
        assert.ok(error instanceof MkvError, String(error));
        refused += 1;
      }
    }
    assert.ok(refused > 1900, `${refused} of 2000 were refused`);
  });
});

describe('tags', () => {
  it('reads what it writes, and what the producer SDK writes', () => {
    const entries = [
      { name: 'a', value: 'ä' },
      { name: 'b', value: '' },
    ];
    const [, payload] = splitHeader(tagsElement(entries));
    assert.deepEqual(readTags(payload), entries);
    const [, foreign] = splitHeader(tags({ x: '1' }));
    assert.deepEqual(readTags(foreign), [{ name: 'x', value: '1' }]);
  });

  it('refuses a payload that does not divide into elements', () => {
    assert.throws(() => readTags(Buffer.concat([uint('7373', 1), Buffer.from([0x73])])), MkvError);
  });
});

/** Id and size of a Tags element, and its payload. */
function splitHeader(bytes: Buffer): [header: Buffer, payload: Buffer] {
  const sizeBytes = Math.clz32(bytes[4] ?? 0) - 23;
  return [bytes.subarray(0, 4 + sizeBytes), bytes.subarray(4 + sizeBytes)];
}
