import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countFrames } from '../../lib/spool/count-frames.js';
import {
  decodeEnd,
  decodeFragment,
  encodeEnd,
  encodeMedia,
  encodeStart,
  endRecordBytes,
  isCutBeforeMedia,
} from '../../lib/spool/fragment-format.js';
import {
  audioTrack,
  cluster,
  mkvHeader,
  seededRandom,
  simpleBlock,
  tags,
  videoTrack,
} from '../support/mkv.js';

const head = { streamName: 's', epoch: 3, timecodeMs: 1_700_000_000_000 };
const header = mkvHeader([videoTrack, audioTrack]);
const totals = { durationMs: 1_980, videoFrames: 59, audioFrames: 84 };
const media = [
  Buffer.concat([tags({ place: 'gate' }), cluster(head.timecodeMs, [])]),
  simpleBlock({ track: 1, at: 0, isKeyframe: true, data: Buffer.alloc(300, 1) }),
  simpleBlock({ track: 2, at: 5, data: Buffer.alloc(20, 2) }),
  simpleBlock({ track: 1, at: 40, data: Buffer.alloc(40, 3) }),
];
const start = encodeStart(head, header);
const body = Buffer.concat([start, ...media.map((chunk) => encodeMedia(chunk))]);
const file = Buffer.concat([body, encodeEnd(totals)]);

describe('fragment file', () => {
  it('gives back what was put in', () => {
    const content = decodeFragment(file);
    assert.deepEqual(content?.head, head);
    assert.deepEqual(content.header, header);
    assert.deepEqual(content.media, media);
    assert.deepEqual(content.totals, totals);
    assert.deepEqual(decodeEnd(file.subarray(-endRecordBytes)), totals);
  });

  it('loses no more than the write that is cut off, wherever that is', () => {
    for (let length = 0; length < file.length; length++) {
      const cut = file.subarray(0, length);
      const content = decodeFragment(cut);
      assert.equal(decodeEnd(cut.subarray(-endRecordBytes)), undefined);
      if (length < start.length) {
        assert.equal(content, undefined);
        assert.ok(isCutBeforeMedia(cut), `at ${String(length)}`);
        continue;
      }
      assert.equal(isCutBeforeMedia(cut), length === start.length);
      let end = start.length;
      const whole = media.filter((chunk) => (end += encodeMedia(chunk).length) <= length);
      assert.deepEqual(content?.media, whole, `at ${String(length)}`);
      assert.equal(content.totals, undefined);
    }
  });

  it('finds every flipped byte, and keeps what is before it', () => {
    for (let offset = 0; offset < file.length; offset++) {
      const bytes = Buffer.from(file);
      bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
      const content = decodeFragment(bytes);
      if (offset < start.length) {
        assert.equal(content, undefined, `at ${String(offset)}`);
        continue;
      }
      assert.equal(content?.totals, undefined, `at ${String(offset)}`);
      assert.deepEqual(content?.media, media.slice(0, content?.media.length));
    }
  });

  it('takes no garbage for a fragment, and never fails', () => {
    const random = seededRandom(4);
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(Array.from({ length: random() * 200 }, () => random() * 256));
      // Half of it begins as a fragment does.
      const garbage = round % 2 === 0 ? bytes : Buffer.concat([start, bytes]);
      const content = decodeFragment(garbage);
      assert.equal(content === undefined, round % 2 === 0);
      assert.deepEqual(content?.media ?? [], []);
      countFrames(bytes, [bytes]);
      countFrames(header, [bytes]);
    }
  });
});

describe('countFrames', () => {
  it('counts what is there of each track', () => {
    assert.deepEqual(countFrames(header, media), {
      durationMs: 80,
      videoFrames: 2,
      audioFrames: 1,
      isStorable: true,
    });
  });

  it('tells a fragment that lacks a track, and one that is none', () => {
    assert.equal(countFrames(header, media.slice(0, 2))?.isStorable, false);
    assert.equal(countFrames(Buffer.from('H1\n'), media), undefined);
    assert.equal(countFrames(mkvHeader([videoTrack]), media), undefined, 'an undeclared track');
  });
});
