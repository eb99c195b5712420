/** Rows of the matrix that nothing else covers, as tests: the sources that are hardest to store. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measure } from './measure.js';
import { rows } from './rows.js';

const ids = [
  'own-audio-only',
  'own-camera-off-on',
  'own-muted-at-start',
  'own-odd-size',
  'own-resolution',
  'own-ssrc-change',
];

/** Rows that run at a time, and how long one may take, in ms. */
const concurrency = 2;
const timeout = 90_000;

describe('a row of the matrix is good', { concurrency }, () => {
  for (const id of ids) {
    it(id, { timeout }, async () => {
      const row = rows.find((known) => known.id === id);
      assert.ok(row !== undefined);
      const { faults, notRun, figures } = await measure(row, 'putmedia');
      assert.equal(notRun, undefined);
      assert.deepEqual(faults, [], JSON.stringify(figures));
    });
  }
});
