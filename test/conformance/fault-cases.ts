/** What is stored when the service or the way to it fails. */
import assert from 'node:assert/strict';
import type { BridgeEnd, BridgeTotals, KvsBridgeEvents } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { RecordingSession } from '../support/recording-session.js';
import type { SinkName } from '../support/sinks.js';
import { readTestPattern } from '../support/stored-media.js';
import type { StoredMedia } from '../support/stored-media.js';
import {
  assertAccounted,
  assertPlayable,
  assertTotals,
  countVideoFrames,
  sinkCase,
} from './sink-case.js';
import type { SinkCase } from './sink-case.js';

const deadlineMs = 40_000;

/** What kvssink does otherwise after a fault, by its nature; see docs/sinks.md. */
interface Difference {
  readonly text: string;
  /** Frames that it may lose, as long as it counts them. */
  readonly mayLoseFrames: number;
}

const resends: Difference = {
  text: 'it sends all again that has no PERSISTED, so that a fragment may be stored twice',
  mayLoseFrames: 0,
};

const losesInFlight: Difference = {
  text: `${resends.text}; the fragment in flight may be lost when PutMedia is refused next`,
  mayLoseFrames: 60,
};

/** Everything that was received is stored, once; or what differs holds. */
async function assertRecovered(
  end: BridgeEnd,
  media: StoredMedia,
  difference: Difference | undefined,
): Promise<void> {
  assertPlayable(media, ['video', 'audio']);
  assertTotals(end, media);
  assert.equal(end.totals.videoFramesPending, 0);
  const gone = end.totals.videoFramesLost;
  const { missing, repeated } = await readTestPattern(media);
  assert.deepEqual([missing, repeated], [gone, 0]);
  assert.ok(gone <= (difference?.mayLoseFrames ?? 0), `${String(gone)} frames are gone`);
  if (difference === undefined) assert.equal(media.duplicates, 0);
}

/** Waits until the master sent so much more. */
async function untilReceivedMore({ bridge }: RecordingSession, ms: number): Promise<void> {
  const { newestReceivedMs } = bridge.totals;
  await eventThat(
    bridge,
    'totals',
    (totals: BridgeTotals) => totals.newestReceivedMs > newestReceivedMs + ms,
    deadlineMs,
  );
}

/** A fault in mid recording after which everything is stored nevertheless. */
function recoveryCase(
  name: string,
  breakIt: (session: RecordingSession) => Promise<void> | void,
  kvssink: Difference = resends,
): SinkCase {
  const run = async (sink: SinkName): Promise<void> => {
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(2);
    await breakIt(session);
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assert.equal(end.error, undefined);
    await assertRecovered(end, media, sink === 'kvssink' ? kvssink : undefined);
  };
  return sinkCase(name, run, { kvssink: kvssink.text });
}

/** An HTTP status in answer to the next PutMedia requests. */
function refusalCase(status: number, type: string, times: number): SinkCase {
  const refuse = ({ stack }: RecordingSession): void => {
    stack.kvs.faults.failCalls({ operation: 'PutMedia', status, type, times });
    stack.kvs.faults.cutPutMedia();
  };
  const name = `outlives ${String(status)} ${type} and stores everything`;
  return recoveryCase(name, refuse, losesInFlight);
}

export const faultCases: readonly SinkCase[] = [
  recoveryCase('sends again what a cut connection swallowed', ({ stack }) => {
    assert.equal(stack.kvs.faults.cutPutMedia(), 1);
  }),
  recoveryCase(
    'stores once what was persisted while its acknowledgement got lost',
    async (session) => {
      const { faults } = session.stack.kvs;
      const delay = faults.delayPersisted({ delayMs: Infinity });
      await untilReceivedMore(session, 2_000);
      faults.cutPutMedia();
      delay.remove();
    },
  ),
  recoveryCase('sends again after a passing error of the service (5000)', ({ stack }) => {
    stack.kvs.faults.failAck({ errorId: 5000 });
  }),
  recoveryCase('goes on when KVS ends the connection for its age (4003)', ({ stack }) => {
    stack.kvs.faults.failAck({ errorId: 4003 });
  }),
  refusalCase(400, 'ClientLimitExceededException', 2),
  refusalCase(403, 'AccessDeniedException', 1),
  refusalCase(500, 'InternalFailure', 3),
  refusalCase(503, 'ServiceUnavailableException', 3),
  recoveryCase('keeps what a stalled server does not read, and sends it later', async (session) => {
    const stall = session.stack.kvs.faults.stallPutMedia();
    await untilReceivedMore(session, 3_000);
    stall.remove();
  }),
  sinkCase('gives up a refused fragment (4006), no more, and says so', async (sink) => {
    await using session = await RecordingSession.start(sink);
    await session.untilPersisted(2);
    session.stack.kvs.faults.failAck({ errorId: 4006 });
    await session.untilPersisted(3);
    const { end, media } = await session.finish();
    assertPlayable(media, ['video', 'audio']);
    assertTotals(end, media);
    assert.ok(end.totals.videoFramesLost > 0);
    assert.equal(end.totals.videoFramesPending, 0);
    const { missing, repeated } = await readTestPattern(media);
    assert.deepEqual([missing, repeated], [end.totals.videoFramesLost, 0]);
    assert.equal(
      session.lost.reduce((sum, { videoFrames }) => sum + videoFrames, 0),
      end.totals.videoFramesLost,
    );
    assert.ok(session.warnings.some(({ message }) => message.includes('INVALID_MKV_DATA')));
  }),
  sinkCase(
    'names an error that only a person can mend (4500), and records again once it is mended',
    async (sink) => {
      await using session = await RecordingSession.start(sink);
      await session.untilPersisted(2);
      const isNamed = (text = ''): boolean => text.includes('KMS_KEY_ACCESS_DENIED');
      const told = eventThat(
        session.bridge,
        'state',
        ({ state, reason }: KvsBridgeEvents['state'][0]) =>
          ['degraded', 'reconnecting'].includes(state) && isNamed(reason),
        deadlineMs,
      );
      const explained = eventThat(
        session.bridge,
        'warning',
        ({ fix = '' }: KvsBridgeEvents['warning'][0]) => fix.includes('KMS key'),
        deadlineMs,
      );
      session.stack.kvs.faults.failAck({ errorId: 4500 });
      await Promise.all([told, explained]);
      const warning = session.warnings.find(({ message }) => isNamed(message));
      assert.equal(warning?.code, 'KVSB_PUT_MEDIA');
      await session.untilPersisted(2);
      const { end, media } = await session.finish();
      assert.equal(end.error, undefined);
      assertPlayable(media, ['video', 'audio']);
      assertAccounted(end);
      const counted = countVideoFrames(media);
      if (sink === 'putmedia') assert.equal(counted, end.totals.videoFramesStored);
      else assert.ok(counted >= end.totals.videoFramesStored, `only ${String(counted)} decode`);
    },
    {
      kvssink:
        'the fragment that it was writing when it failed counts as lost, though KVS has a part',
    },
  ),
  sinkCase(
    'ends within its drain timeout when KVS reads no more, and says what is pending',
    async (sink) => {
      const drainTimeoutMs = 2_000;
      await using session = await RecordingSession.start(sink, { bridge: { drainTimeoutMs } });
      await session.untilPersisted(2);
      session.stack.kvs.faults.stallPutMedia();
      await untilReceivedMore(session, 2_000);
      const { error, totals } = await session.bridge.stop();
      assert.equal(error, undefined);
      assert.ok(totals.videoFramesPending > 0);
      assert.equal(
        totals.videoFramesReceived,
        totals.videoFramesStored + totals.videoFramesLost + totals.videoFramesPending,
      );
    },
  ),
];
