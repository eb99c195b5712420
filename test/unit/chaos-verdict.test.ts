/** The judge of the chaos suite has to be able to find someone guilty. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Gap } from '../../lib/index.js';
import type { StoredFragment } from '../chaos/archive.js';
import { frameNumbers } from '../chaos/encoder-order.js';
import { judge } from '../chaos/verdict.js';
import type { Evidence } from '../chaos/verdict.js';

const startMs = 1_800_000_000_000;
const frameMs = 1_000 / 15;

/** Frames of the numbers from `first`, stored at their time. */
function frames(first: number, count: number): { number: number; atMs: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    number: first + index,
    atMs: startMs + (first + index) * frameMs,
  }));
}

function fragment(first: number, videoFrames: number): StoredFragment {
  return { timecodeMs: Math.round(startMs + first * frameMs), videoFrames };
}

const nothingMissing: Evidence['ledger'] = {
  gaps: [],
  corruptLines: 0,
  videoFrames: { received: 90, stored: 90, lost: 0, pending: 0 },
};

function gap(fromFrame: number, toFrame: number): Gap {
  return {
    fromMs: startMs + fromFrame * frameMs,
    toMs: startMs + toFrame * frameMs,
    cause: 'source-away',
    videoFramesLost: 0,
    open: false,
  };
}

function problemsOf(evidence: Partial<Evidence>): readonly string[] {
  const all: Evidence = {
    streams: [{ first: 0, frames: 90 }],
    archive: { frames: frames(0, 90), fragments: [fragment(0, 30), fragment(30, 60)] },
    claims: [fragment(0, 30)],
    received: 90,
    ledger: nothingMissing,
  };
  return judge({ ...all, ...evidence }).problems;
}

describe('the verdict of the chaos suite', () => {
  it('is good when everything that was sent is stored once', () => {
    assert.deepEqual(problemsOf({}), []);
  });

  it('is good when the ledger lists what is missing', () => {
    const archive = { frames: [...frames(0, 30), ...frames(60, 30)], fragments: [] };
    const ledger = { ...nothingMissing, gaps: [gap(30, 60)] };
    assert.deepEqual(problemsOf({ archive, claims: [], received: 60, ledger }), []);
  });

  it('misses what the ledger does not list, or lists in part', () => {
    const archive = { frames: [...frames(0, 30), ...frames(60, 30)], fragments: [] };
    const missed = { archive, claims: [], received: 60 };
    assert.match(problemsOf(missed).join(), /ledger says nothing of 2067 ms .* 30 frames/);
    const ledger = { ...nothingMissing, gaps: [gap(30, 45)] };
    assert.match(problemsOf({ ...missed, ledger }).join(), /1000 ms unlisted/);
  });

  it('misses a gap between two masters, in which no frame was sent', () => {
    const streams = [
      { first: 0, frames: 30 },
      { first: 60, frames: 30 },
    ];
    const archive = { frames: [...frames(0, 30), ...frames(60, 30)], fragments: [] };
    const found = problemsOf({ streams, archive, claims: [], received: 60 });
    assert.match(found.join(), /0 frames \(29 to 60\)/);
  });

  it('finds frames and fragments that are stored twice', () => {
    const archive = { frames: [...frames(0, 1), ...frames(0, 90)], fragments: [fragment(0, 30)] };
    assert.match(problemsOf({ archive }).join(), /1 frames or fragments are stored twice/);
    const fragments = { frames: frames(0, 90), fragments: [fragment(0, 30), fragment(0, 30)] };
    assert.match(problemsOf({ archive: fragments }).join(), /1 frames or fragments/);
  });

  it('finds received frames that are gone at the end, and acknowledged fragments that are not there', () => {
    const archive = { frames: frames(0, 80), fragments: [fragment(0, 30)] };
    assert.match(problemsOf({ archive }).join(), /10 frames that were received are neither stored/);
    const absent = problemsOf({ claims: [fragment(1, 30)] });
    assert.match(absent.join(), /told as persisted, not so in the archive/);
    const larger = problemsOf({ claims: [fragment(0, 30), fragment(0, 31)] });
    assert.match(larger.join(), /not so in the archive: \d+ with 31 frames$/);
  });

  it('finds frames that nobody sent, and time that goes back', () => {
    const streams = [{ first: 10, frames: 80 }];
    assert.match(problemsOf({ streams }).join(), /10 stored frames were never sent/);
    const stored = frames(0, 90).map((frame) =>
      frame.number < 45 ? frame : { ...frame, atMs: frame.atMs - 10_000 },
    );
    const archive = { frames: stored, fragments: [fragment(0, 30)] };
    assert.match(problemsOf({ archive }).join(), /time goes back at 1 frames/);
  });

  it('takes the number from the encoder where a picture shows that of another frame', () => {
    const coded = (frameNums: readonly number[]) =>
      frameNums.map((frameNum) => ({ bytes: 99, isIdr: frameNum === 0, frameNum, frameNums: 16 }));
    const shown = [40, 41, 41, 41, 44, 60, 61];
    const numbers = [40, 41, 42, 43, 44, 60, 61];
    assert.deepEqual(frameNumbers(shown, coded([0, 1, 2, 3, 4, 0, 1])), numbers);
    // One is there twice and one is missing: what is shown stands.
    assert.deepEqual(frameNumbers(shown, coded([0, 1, 1, 3, 4, 0, 1])), shown);
    // The pictures never come back: frames are missing before the encoder.
    const jump = [40, 41, 44, 45];
    assert.deepEqual(frameNumbers(jump, coded([0, 1, 2, 3])), jump);
  });
});
