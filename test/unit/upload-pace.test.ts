import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UploadPace, kvsUploadQuota } from '../../lib/putmedia/upload-pace.js';

/** Sends fragments of so many bytes in chunks, each as soon as it may. @returns when each began */
function send(pace: UploadPace, fragments: number, bytes: number, chunks: number): number[] {
  let nowMs = 1_000_000;
  return Array.from({ length: fragments }, () => {
    let begunAtMs = 0;
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      nowMs += pace.waitMs(nowMs, chunk === 0);
      assert.equal(pace.waitMs(nowMs, chunk === 0), 0);
      if (chunk === 0) {
        begunAtMs = nowMs;
        pace.onFragment(nowMs);
      }
      pace.onBytes(bytes / chunks, nowMs);
    }
    return begunAtMs;
  });
}

describe('UploadPace', () => {
  it('lets no more fragments begin in any second than KVS takes', () => {
    const begun = send(new UploadPace(kvsUploadQuota), 150, 100_000, 4);
    for (const atMs of begun) {
      const inSecond = begun.filter((other) => other >= atMs && other < atMs + 1_000);
      assert.ok(inSecond.length <= 5, `${String(inSecond.length)} fragments`);
    }
    // What five minutes leave goes out in the minute that it may take.
    assert.ok((begun.at(-1) ?? 0) - (begun[0] ?? 0) < 35_000);
  });

  it('lets bytes go no faster than KVS takes them, over any longer time', () => {
    const fragmentBytes = 10_000_000;
    const begun = send(new UploadPace(kvsUploadQuota), 40, fragmentBytes, 100);
    const seconds = ((begun.at(-1) ?? 0) - (begun[0] ?? 0)) / 1_000;
    const rate = (39 * fragmentBytes) / seconds;
    assert.ok(rate < kvsUploadQuota.bytesPerSecond * 1.05, `${String(rate)} bytes/s`);
    assert.ok(rate > kvsUploadQuota.bytesPerSecond * 0.9, `${String(rate)} bytes/s`);
  });

  it('never holds live media back', () => {
    const pace = new UploadPace(kvsUploadQuota);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 40) {
      const begins = nowMs % 1_000 === 0;
      assert.equal(pace.waitMs(nowMs, begins), 0);
      if (begins) pace.onFragment(nowMs);
      pace.onBytes(begins ? 400_000 : 40_000, nowMs);
    }
  });
});
