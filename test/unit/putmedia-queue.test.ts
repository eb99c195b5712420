import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EpochFeed } from '../../lib/putmedia/epoch-feed.js';
import { FragmentQueue } from '../../lib/putmedia/fragment-queue.js';
import type { Epoch, Fragment, FragmentCopy } from '../../lib/putmedia/fragment.js';
import { RetryPolicy } from '../../lib/putmedia/retry-policy.js';
import { StateError } from '../../lib/util/errors.js';

interface Loss {
  readonly timecodeMs: number;
  readonly videoFrames: number;
  readonly reason: string;
}

function createQueue(maxBytes = 1_000): { queue: FragmentQueue; losses: Loss[] } {
  const losses: Loss[] = [];
  const queue = new FragmentQueue({
    maxBytes,
    onLost: ({ timecodeMs }, { videoFrames }, reason) => {
      losses.push({ timecodeMs, videoFrames, reason });
    },
  });
  return { queue, losses };
}

/** On disk at once; to be marked before it is sent. */
class UnmarkedCopy implements FragmentCopy {
  readonly bytes = 0;
  readonly writtenChunks = Infinity;
  readonly isComplete = false;
  readonly isFailed = false;
  isMarkedSent = false;

  append(): void {
    // Nobody reads it.
  }

  end(): void {
    // Nobody reads it.
  }

  markSent(): Promise<void> {
    return Promise.resolve();
  }

  load(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  remove(): void {
    // There is no file.
  }
}

const noHooks = { onBegin: () => undefined, prepare: () => undefined };

const beginEpoch = (queue: FragmentQueue, epoch: number): void => {
  queue.beginEpoch({ epoch, header: Buffer.from(`H${String(epoch)}`) });
};

const endEpoch = (queue: FragmentQueue, epoch: number): void => {
  queue.endEpoch({ epoch, trailer: Buffer.from('T') });
};

/** A complete fragment of `bytes` bytes in two chunks, with `timecodeMs` as its frame count. */
const addFragment = (queue: FragmentQueue, epoch: number, timecodeMs: number, bytes = 10): void => {
  queue.beginFragment({ epoch, timecodeMs });
  queue.append(Buffer.alloc(bytes - 1, timecodeMs));
  queue.append(Buffer.alloc(1, timecodeMs));
  queue.endFragment({ durationMs: 1, videoFrames: timecodeMs, audioFrames: 0 }, 0);
};

const requireEpoch = (queue: FragmentQueue): Epoch => {
  const epoch = queue.nextEpoch();
  assert.ok(epoch);
  return epoch;
};

/** Takes all that the feed gives now, as text. */
const drainFeed = (feed: EpochFeed): string => {
  let text = '';
  for (let bytes = feed.next(); bytes !== undefined; bytes = feed.next()) {
    text += Buffer.from(bytes).toString('latin1');
  }
  return text;
};

describe('FragmentQueue', () => {
  it('hands epochs out in order and forgets finished ones', () => {
    const { queue, losses } = createQueue();
    beginEpoch(queue, 1);
    addFragment(queue, 1, 1);
    endEpoch(queue, 1);
    beginEpoch(queue, 2);
    addFragment(queue, 2, 2);
    const first = requireEpoch(queue);
    assert.equal(first.number, 1);
    const [fragment] = first.fragments;
    assert.ok(fragment);
    queue.release(fragment);
    queue.release(fragment);
    assert.equal(requireEpoch(queue).number, 2);
    assert.deepEqual([queue.length, queue.bytes, losses], [1, 10, []]);
  });

  it('drops the oldest unsent fragments when full', () => {
    const { queue, losses } = createQueue(25);
    beginEpoch(queue, 1);
    for (const timecodeMs of [1, 2, 3, 4]) addFragment(queue, 1, timecodeMs);
    assert.deepEqual(
      losses.map(({ timecodeMs, reason }) => [timecodeMs, reason]),
      [
        [1, 'bufferFull'],
        [2, 'bufferFull'],
      ],
    );
    assert.ok(queue.bytes <= 25);
  });

  it('keeps waiting for a sent fragment whose bytes had to go', () => {
    const { queue, losses } = createQueue(25);
    beginEpoch(queue, 1);
    addFragment(queue, 1, 1);
    const epoch = requireEpoch(queue);
    drainFeed(new EpochFeed(epoch, queue, noHooks));
    addFragment(queue, 1, 2);
    addFragment(queue, 1, 3);
    assert.deepEqual([losses, queue.length, queue.bytes], [[], 3, 20]);
    // Until it is known what is stored, nothing of it counts as lost, however full the buffer is.
    queue.rewind(epoch);
    addFragment(queue, 1, 4);
    assert.deepEqual(losses, [{ timecodeMs: 2, videoFrames: 2, reason: 'bufferFull' }]);
    losses.length = 0;
    for (const fragment of [...epoch.fragments]) queue.settle(fragment);
    assert.deepEqual(losses, [{ timecodeMs: 1, videoFrames: 1, reason: 'bufferFull' }]);
    assert.deepEqual([queue.length, queue.bytes], [2, 20]);
  });

  it('gives up a live fragment that alone exceeds the memory, and counts it at its end', () => {
    const { queue, losses } = createQueue(25);
    beginEpoch(queue, 1);
    queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    queue.append(Buffer.alloc(26));
    queue.append(Buffer.alloc(26));
    assert.deepEqual([losses, queue.bytes, queue.length], [[], 0, 0]);
    queue.endFragment({ durationMs: 1, videoFrames: 30, audioFrames: 0 }, 0);
    assert.deepEqual(losses, [{ timecodeMs: 1, videoFrames: 30, reason: 'bufferFull' }]);
    addFragment(queue, 1, 2);
    assert.equal(queue.length, 1);
  });

  it('forgets a fragment without bytes', () => {
    const { queue, losses } = createQueue();
    beginEpoch(queue, 1);
    queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    queue.append(new Uint8Array());
    queue.endFragment({ durationMs: 0, videoFrames: 0, audioFrames: 0 }, 0);
    assert.deepEqual([losses, queue.length], [[], 0]);
  });

  it('seals what the producer left open', () => {
    const { queue } = createQueue();
    beginEpoch(queue, 1);
    queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    queue.append(Buffer.from('x'));
    queue.seal(0);
    queue.seal(0);
    const epoch = requireEpoch(queue);
    assert.equal(epoch.trailer?.length, 0);
    assert.equal(epoch.fragments[0]?.totals?.videoFrames, 0);
  });

  it('refuses calls out of order', () => {
    const { queue } = createQueue();
    assert.throws(() => {
      queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    }, StateError);
    beginEpoch(queue, 1);
    assert.throws(() => {
      queue.append(Buffer.from('x'));
    }, StateError);
    assert.throws(() => {
      beginEpoch(queue, 2);
    }, StateError);
    queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    assert.throws(() => {
      endEpoch(queue, 1);
    }, StateError);
  });
});

describe('EpochFeed', () => {
  it('gives the header once media follows, then bytes as they come', () => {
    const { queue } = createQueue();
    beginEpoch(queue, 1);
    queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    const begun: Fragment[] = [];
    const feed = new EpochFeed(requireEpoch(queue), queue, {
      ...noHooks,
      onBegin: (fragment) => begun.push(fragment),
    });
    assert.equal(drainFeed(feed), '');
    queue.append(Buffer.from('a'));
    assert.equal(drainFeed(feed), 'H1a');
    assert.equal(feed.isAtBoundary, false);
    queue.append(Buffer.from('b'));
    assert.equal(drainFeed(feed), 'b');
    queue.endFragment({ durationMs: 1, videoFrames: 1, audioFrames: 0 }, 0);
    feed.settle();
    assert.deepEqual([feed.isAtBoundary, feed.isExhausted, begun.length], [true, true, 1]);
    queue.beginFragment({ epoch: 1, timecodeMs: 2 });
    queue.append(Buffer.from('c'));
    assert.equal(feed.isExhausted, false);
    assert.equal(drainFeed(feed), 'c');
  });

  it('has nothing made ready before its first bytes: whoever does would find none', () => {
    const { queue } = createQueue();
    beginEpoch(queue, 1);
    const fragment = queue.beginFragment({ epoch: 1, timecodeMs: 1 });
    const copy = new UnmarkedCopy();
    fragment.copy = copy;
    const prepared: Fragment[] = [];
    const feed = new EpochFeed(requireEpoch(queue), queue, {
      ...noHooks,
      prepare: (asked) => prepared.push(asked),
    });
    assert.equal(drainFeed(feed), '');
    assert.deepEqual(prepared, []);
    queue.append(Buffer.from('a'));
    assert.equal(drainFeed(feed), '');
    assert.deepEqual(prepared, [fragment]);
    copy.isMarkedSent = true;
    assert.equal(drainFeed(feed), 'H1a');
  });

  it('skips what was given up, and is broken when that was on its way', () => {
    const { queue } = createQueue();
    beginEpoch(queue, 1);
    for (const timecodeMs of [65, 66, 67]) addFragment(queue, 1, timecodeMs, 2);
    const epoch = requireEpoch(queue);
    const [first, second, third] = epoch.fragments;
    assert.ok(first && second && third);
    const feed = new EpochFeed(epoch, queue, noHooks);
    feed.next();
    queue.drop(first, 'refused');
    queue.drop(second, 'refused');
    assert.equal(Buffer.from(feed.next() ?? []).toString(), 'C');
    assert.equal(feed.isBroken, false);
    queue.drop(third, 'refused');
    assert.deepEqual([feed.next(), feed.isBroken], [undefined, true]);
  });

  it('starts over with the header after a rewind', () => {
    const { queue } = createQueue();
    beginEpoch(queue, 1);
    addFragment(queue, 1, 65, 2);
    const epoch = requireEpoch(queue);
    assert.equal(drainFeed(new EpochFeed(epoch, queue, noHooks)), 'H1AA');
    queue.rewind(epoch);
    assert.equal(epoch.fragments[0]?.mayBeStored, true);
    assert.equal(drainFeed(new EpochFeed(epoch, queue, noHooks)), 'H1AA');
  });
});

describe('RetryPolicy', () => {
  const create = (): RetryPolicy =>
    new RetryPolicy({ minDelayMs: 200, maxDelayMs: 1_000, slowDelayMs: 60_000, random: () => 1 });

  it('grows delays until media is confirmed, not when merely let in', () => {
    const policy = create();
    assert.deepEqual(
      [1, 2, 3, 4].map(() => policy.next('backoff').delayMs),
      [200, 400, 800, 1_000],
    );
    policy.accepted();
    assert.equal(policy.next('backoff').delayMs, 1_000);
    policy.progressed();
    assert.equal(policy.next('backoff').delayMs, 200);
  });

  it('never retries at once', () => {
    const policy = new RetryPolicy({ random: () => 0 });
    for (const retry of ['backoff', 'credentials', 'slow'] as const) {
      assert.ok(policy.next(retry).delayMs >= 100);
    }
  });

  it('takes a first refusal for expired credentials, a second for a matter of people', () => {
    const policy = create();
    assert.equal(policy.wantsFreshCredentials, false);
    assert.deepEqual(policy.next('credentials'), { delayMs: 200, isFatal: false });
    assert.equal(policy.wantsFreshCredentials, true);
    // Soon all the same: whoever mends the keys does so unseen.
    assert.deepEqual(policy.next('credentials'), { delayMs: 400, isFatal: true });
    policy.accepted();
    assert.equal(policy.wantsFreshCredentials, false);
    assert.equal(policy.next('credentials').isFatal, false);
    const slow = [1, 2, 3, 4, 5, 6].map(() => policy.next('slow'));
    assert.deepEqual(
      slow.map(({ delayMs }) => delayMs),
      [5_000, 10_000, 20_000, 40_000, 60_000, 60_000],
    );
    assert.ok(slow.every(({ isFatal }) => isFatal));
  });

  it('goes on while there are other keys to try, but not for ever', () => {
    const policy = create();
    const other = { hasOtherKeys: true };
    const decisions = [1, 2, 3, 4, 5, 6].map(() => policy.next('credentials', other).isFatal);
    assert.deepEqual(decisions, [false, false, false, false, false, true]);
    policy.accepted();
    // A permission that is missing does not come with other keys of the same role.
    assert.equal(policy.next('permission', other).isFatal, false);
    assert.equal(policy.next('permission', other).isFatal, true);
  });
});
