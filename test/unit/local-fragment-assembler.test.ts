import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FragmentAssembler } from '../../lib/local/ingest/fragment-assembler.js';
import type { IngestEvent } from '../../lib/local/ingest/fragment-assembler.js';
import { IngestError } from '../../lib/local/ingest/ingest-error.js';
import { defaultLimits } from '../../lib/local/options.js';
import type { IngestLimits } from '../../lib/local/options.js';
import {
  audioTrack,
  cluster,
  ebml,
  endOfFragment,
  mkvHeader,
  second,
  seededRandom,
  simpleBlock,
  tags,
  text,
  videoTrack,
} from '../support/mkv.js';

interface Setup {
  readonly limits?: Partial<IngestLimits>;
  readonly startTimestampMs?: number;
}

function assembler({ limits = {}, startTimestampMs = 0 }: Setup = {}): FragmentAssembler {
  return new FragmentAssembler({
    limits: { ...defaultLimits.ingest, ...limits },
    startTimestampMs,
  });
}

/** Feeds an upload that ends in good order. */
function assemble(parts: readonly Buffer[], setup?: Setup): IngestEvent[] {
  const target = assembler(setup);
  return [...parts.flatMap((part) => [...target.push(part)]), ...target.end()];
}

function completed(events: readonly IngestEvent[]): (IngestEvent & { kind: 'complete' })[] {
  return events.filter((event) => event.kind === 'complete');
}

function frames(count: number, stepMs: number): { track: number; at: number }[] {
  return Array.from({ length: count }, (_, index) => ({ track: 1, at: index * stepMs }));
}

describe('FragmentAssembler', () => {
  it('announces a fragment at its timestamp and hands it out at its end', () => {
    const target = assembler();
    const begin = [{ kind: 'begin', timecode: 1000 }];
    assert.deepEqual([...target.push(mkvHeader())], []);
    assert.deepEqual([...target.push(second(1000))], begin);
    const next = [...target.push(second(2000))].map(({ kind }) => kind);
    assert.deepEqual(next, ['complete', 'begin']);
  });

  const ends: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['the END_OF_FRAGMENT tag', endOfFragment],
    ['any other tags', tags({ a: 'b' })],
    ['the next cluster', Buffer.from('1f43b675ff', 'hex')],
  ];
  for (const [what, bytes] of ends) {
    it(`ends a fragment at ${what}`, () => {
      const target = assembler();
      const before = [...target.push(Buffer.concat([mkvHeader(), second(1000)]))];
      assert.equal(completed(before).length, 0);
      assert.equal(completed([...target.push(bytes)]).length, 1);
    });
  }

  it('ends the last fragment with the upload', () => {
    assert.equal(completed(assemble([mkvHeader(), second(1000)])).length, 1);
  });

  it('ends a fragment before it refuses a second header', () => {
    const target = assembler();
    const events: IngestEvent[] = [];
    assert.throws(
      () => {
        const bytes = Buffer.concat([mkvHeader(), second(1000), mkvHeader()]);
        for (const event of target.push(bytes)) events.push(event);
      },
      (error) => error instanceof IngestError && error.errorId === 4006,
    );
    assert.equal(completed(events).length, 1);
  });

  it('makes each fragment a file of its own: header, its tags, its cluster', () => {
    const upload = [mkvHeader(), tags({ n: '1' }), second(1000), tags({ n: '2' }), second(2000)];
    const files = completed(assemble(upload)).map(({ fragment }) => {
      const bytes = Buffer.concat(fragment.parts);
      assert.equal(bytes.length, fragment.sizeBytes);
      return [bytes.subarray(0, fragment.clusterOffset), bytes.subarray(fragment.clusterOffset)];
    });
    assert.deepEqual(
      files.map(([head]) => head?.includes(tags({ n: '1' }))),
      [true, false],
    );
    assert.deepEqual(
      files.map(([head]) => head?.includes(tags({ n: '2' }))),
      [false, true],
    );
    for (const [head, body] of files) {
      assert.equal(head?.includes(Buffer.from('V_MPEG4/ISO/AVC')), true);
      assert.equal(body?.subarray(0, 4).toString('hex'), '1f43b675');
    }
  });

  it('counts time from the start of the producer, in any scale', () => {
    const upload = [mkvHeader([videoTrack], 100_000), cluster(50, frames(10, 100))];
    const [event] = completed(assemble(upload, { startTimestampMs: 1_700_000_000_000 }));
    assert.equal(event?.fragment.timecode, 50);
    assert.equal(event.fragment.producerTimestampMs, 1_700_000_000_005);
    // Nine steps of 10 ms, and the last frame lasts as long as the others.
    assert.equal(event.fragment.durationMs, 100);
  });

  it('reads BlockGroups', () => {
    const block = Buffer.from('81000000aa', 'hex');
    const group = ebml('a0', ebml('a1', block), ebml('9b', Buffer.from([5])));
    const bytes = Buffer.concat([cluster(1000, []), group]);
    assert.equal(completed(assemble([mkvHeader(), bytes])).length, 1);
  });

  it('lets a cluster begin in the tick of the last frame', () => {
    const upload = [mkvHeader(), cluster(1000, frames(11, 100)), second(2000)];
    assert.equal(completed(assemble(upload)).length, 2);
  });

  const av = mkvHeader([videoTrack, audioTrack]);
  const audio = { track: 2, at: 10 };
  const withoutTracks = Buffer.concat([
    ebml('1a45dfa3', text('4282', 'matroska')),
    Buffer.from('18538067ff', 'hex'),
  ]);
  const refusals: readonly (readonly [id: number, what: string, parts: Buffer[], setup?: Setup])[] =
    [
      [4001, 'a large fragment', [mkvHeader(), second(1)], { limits: { maxFragmentBytes: 100 } }],
      [
        4001,
        'a large block',
        [mkvHeader(), cluster(1, []), simpleBlock({ track: 1, at: 0, data: Buffer.alloc(200) })],
        { limits: { maxFragmentBytes: 100 } },
      ],
      [4002, 'a long fragment', [mkvHeader(), cluster(1, frames(22, 1000))]],
      [4004, 'the same timestamp again', [mkvHeader(), second(1000), second(1000)]],
      [4004, 'an overlap', [mkvHeader(), second(1000), second(1500)]],
      [4006, 'no EBML header', [second(1000)]],
      [4006, 'text', [Buffer.from('{"StreamName":"x"}')]],
      [4006, 'a cluster before the tracks', [withoutTracks, second(1)]],
      [4006, 'no tracks', [mkvHeader([])]],
      [4006, 'chapters', [mkvHeader(), ebml('1043a770')]],
      [4006, 'attachments', [mkvHeader(), ebml('1941a469')]],
      [
        4006,
        'a block before the timestamp',
        [mkvHeader(), Buffer.from('1f43b675ffa38581000000aa', 'hex')],
      ],
      [4006, 'a second timestamp', [mkvHeader(), second(1), ebml('e7', Buffer.from([9]))]],
      [4006, 'an end inside a block', [mkvHeader(), second(1).subarray(0, -3)]],
      [4009, 'eleven tags', [mkvHeader(), tags(manyTags(11))]],
      [4009, 'a reserved tag', [mkvHeader(), tags({ AWS_X: '1' })]],
      [4009, 'a long tag', [mkvHeader(), tags({ a: 'x'.repeat(257) })]],
      [4010, 'an undeclared track', [mkvHeader(), cluster(1, [{ track: 3, at: 0 }])]],
      [4011, 'no audio', [av, cluster(1, [{ track: 1, at: 0 }, audio]), second(100), second(2000)]],
      [4011, 'an empty cluster', [mkvHeader(), cluster(1, [])]],
      [4012, 'four tracks', [mkvHeader([1, 2, 3, 4].map((number) => ({ ...audioTrack, number })))]],
    ];
  for (const [id, what, parts, setup] of refusals) {
    it(`refuses ${what} with ${id}`, () => {
      assert.throws(
        () => assemble(parts, setup),
        (error) => error instanceof IngestError && error.errorId === id,
      );
    });
  }

  it('takes ten tags, and the tags of AWS that producers may send', () => {
    const notification = tags({ AWS_KINESISVIDEO_NOTIFICATION: '' });
    assemble([mkvHeader(), tags(manyTags(9)), notification, second(1)]);
  });

  it('refuses damage with an error of its own', () => {
    const random = seededRandom(42);
    const upload = Buffer.concat([av, cluster(1, [{ track: 1, at: 0 }, audio]), endOfFragment]);
    for (let round = 0; round < 2000; round += 1) {
      const damaged = Buffer.from(upload);
      for (let hit = 0; hit < 3; hit += 1) {
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      }
      try {
        assemble([damaged]);
      } catch (error) {
        assert.ok(error instanceof IngestError, String(error));
      }
    }
  });
});

function manyTags(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag${index}`, 'x']));
}
