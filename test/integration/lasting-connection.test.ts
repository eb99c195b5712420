/** A place on a channel that outlives its connections, against a service that each test scripts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { LastingConnection } from '../../lib/signaling/lasting-connection.js';
import type {
  LastingConnectionOptions,
  SignalingChange,
} from '../../lib/signaling/lasting-connection.js';
import type { KvsBridgeError } from '../../lib/util/errors.js';
import { ErrorCode } from '../../lib/util/errors.js';
import { eventThat } from '../support/events.js';
import { SignalingService, base64, received } from '../support/signaling-service.js';

const deadlineMs = 10_000;
/** One that lasts for the test, and comes back at once. */
const rhythm = { lifetimeMs: 600_000, minDelayMs: 2, maxDelayMs: 64, stableMs: 1, overlapMs: 200 };
const sdp = 'v=0\r\n';
const answer = JSON.stringify({
  messageType: 'SDP_ANSWER',
  messagePayload: base64({ type: 'answer', sdp }),
});

/** A connection to `service` with a record of what it says. */
class Rig implements AsyncDisposable {
  readonly connection: LastingConnection;
  readonly changes: SignalingChange[] = [];
  readonly errors: KvsBridgeError[] = [];
  /** The service's ends of the connections, in their order. */
  readonly peers: WebSocket[] = [];
  answers = 0;

  constructor(service: SignalingService, options: Partial<LastingConnectionOptions> = {}) {
    this.connection = new LastingConnection({
      createClient: () => {
        const client = service.viewer();
        client.on('answer', () => (this.answers += 1));
        return client;
      },
      rhythm,
      ...options,
    });
    this.connection.on('change', (change) => this.changes.push(change));
    this.connection.on('refused', (error) => this.errors.push(error));
    service.relay.on('connection', (peer: WebSocket) => this.peers.push(peer));
  }

  get kinds(): readonly string[] {
    return this.changes.map(({ kind }) => kind);
  }

  /** Waits for the change that makes so many. */
  async until(changes: number): Promise<void> {
    if (this.changes.length >= changes) return;
    await eventThat(this.connection, 'change', () => this.changes.length >= changes, deadlineMs);
  }

  async untilRefused(errors: number): Promise<void> {
    if (this.errors.length >= errors) return;
    await eventThat(this.connection, 'refused', () => this.errors.length >= errors, deadlineMs);
  }

  peer(index: number): WebSocket {
    const peer = this.peers.at(index);
    assert.ok(peer !== undefined);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

/** Refuses whoever connects. @returns what ends that */
function refuse(
  service: SignalingService,
  status: string,
  type = 'ServiceUnavailable',
): () => void {
  const listeners = service.server.listeners('upgrade') as (() => void)[];
  service.refuse(status, [`x-amzn-errortype: ${type}`], '{}');
  return () => {
    service.server.removeAllListeners('upgrade');
    for (const listener of listeners) service.server.on('upgrade', listener);
  };
}

describe('LastingConnection', () => {
  it('replaces a connection before its hour ends, again and again, without a break', async () => {
    await using service = await SignalingService.start();
    await using rig = new Rig(service, { rhythm: { ...rhythm, lifetimeMs: 20 } });
    rig.connection.open();
    rig.connection.open();
    await rig.until(20);
    assert.equal(rig.kinds[0], 'connected');
    assert.deepEqual(new Set(rig.kinds.slice(1)), new Set(['replaced']));
    assert.equal(rig.changes[0]?.reason, undefined);
    assert.match(rig.changes[1]?.reason ?? '', /hour/);
    assert.deepEqual(rig.errors, []);
  });

  it('makes the new connection before GO_AWAY ends the old one, and hears both', async () => {
    await using service = await SignalingService.start();
    await using rig = new Rig(service);
    rig.connection.open();
    await rig.until(1);
    rig.peer(0).send('{"messageType":"GO_AWAY"}');
    await rig.until(2);
    assert.deepEqual(rig.changes[1], {
      kind: 'replaced',
      reason: 'the service sent GO_AWAY',
    });
    assert.equal(rig.peer(0).readyState, rig.peer(0).OPEN);

    const oldEnd = once(rig.peer(0), 'close');
    const client = rig.connection.current;
    assert.ok(client !== undefined);
    const heard = Promise.all([
      once(client, 'answer'),
      eventThat(client, 'answer', () => rig.answers === 2, deadlineMs),
    ]);
    rig.peer(0).send(answer);
    rig.peer(0).ping();
    await once(rig.peer(0), 'pong');
    rig.peer(1).send(answer);
    await heard;
    const sent = received(rig.peer(1), 1);
    client.sendOffer(sdp);
    assert.equal((await sent)[0]?.['action'], 'SDP_OFFER');
    // Who replaced it closes it, whatever the service does.
    await oldEnd;
    assert.equal(rig.connection.current, client);
  });

  it('says "replaced" when the service closes the old connection as the new one comes', async () => {
    await using service = await SignalingService.start();
    service.relay.on('connection', (peer) => {
      for (const older of service.relay.clients) if (older !== peer) older.close(1000, 'replaced');
    });
    await using rig = new Rig(service);
    rig.connection.open();
    for (let count = 1; count <= 20; count += 1) {
      await rig.until(count);
      rig.peer(-1).send('{"messageType":"GO_AWAY"}');
    }
    await rig.until(21);
    assert.deepEqual(new Set(rig.kinds.slice(1)), new Set(['replaced']));
  });

  it('comes back after a loss, and says when it was gone', async () => {
    await using service = await SignalingService.start();
    await using rig = new Rig(service);
    rig.connection.open();
    await rig.until(1);
    rig.peer(0).terminate();
    await rig.until(3);
    rig.peer(1).close(1001, 'maintenance');
    await rig.until(5);
    assert.deepEqual(rig.kinds, [
      'connected',
      'disconnected',
      'connected',
      'disconnected',
      'connected',
    ]);
    assert.deepEqual(
      rig.changes.map(({ reason }) => reason),
      [undefined, 'the connection broke', 'the connection broke', 'maintenance', 'maintenance'],
    );
  });

  for (const [status, type] of [
    ['403 Forbidden', 'AccessDeniedException'],
    ['400 Bad Request', 'ClientLimitExceededException'],
    ['503 Service Unavailable', 'ServiceUnavailable'],
  ] as const) {
    it(`waits longer and longer when it is refused with ${status}`, async () => {
      await using service = await SignalingService.start();
      // The longest delays that the jitter can draw.
      await using rig = new Rig(service, { random: () => 1 });
      service.refuse(status, [`x-amzn-errortype: ${type}`], '{}');
      const times: number[] = [];
      rig.connection.on('refused', () => times.push(performance.now()));
      rig.connection.open();
      await rig.untilRefused(7);
      const delays = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      for (const [index, wantedMs] of [2, 4, 8, 16, 32, 64].entries()) {
        // Timers are precise to a millisecond.
        assert.ok((delays[index] ?? 0) >= wantedMs - 1.5, delays.join());
      }
      // Nobody ever heard that it was connected.
      assert.deepEqual(rig.changes, []);
    });
  }

  it('does not become a hot loop when each connection is ended at once', async () => {
    const ends: readonly ((peer: WebSocket) => void)[] = [
      (peer) => {
        peer.terminate();
      },
      (peer) => {
        peer.close(1000);
      },
      (peer) => {
        peer.send('{"messageType":"GO_AWAY"}');
      },
    ];
    for (const end of ends) {
      await using service = await SignalingService.start();
      await using rig = new Rig(service, {
        random: () => 1,
        rhythm: { ...rhythm, stableMs: 60_000 },
      });
      const times: number[] = [];
      const enough = new Promise<void>((resolve) => {
        service.relay.on('connection', (peer) => {
          times.push(performance.now());
          end(peer);
          if (times.length === 7) resolve();
        });
      });
      rig.connection.open();
      await enough;
      // 2, 4, 8, 16, 32 and 64 ms.
      assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) >= 120);
    }
  });

  it('starts its delays over after a connection that lasted', async () => {
    await using service = await SignalingService.start();
    let jitter = 0;
    await using rig = new Rig(service, {
      rhythm: { ...rhythm, maxDelayMs: 1_000_000 },
      random: () => jitter,
    });
    const accept = refuse(service, '503 Service Unavailable');
    rig.connection.open();
    await rig.untilRefused(14);
    accept();
    await rig.until(1);
    await sleep(10);
    // The next delay would be 32 s if it went on from there.
    jitter = 1;
    rig.peer(-1).terminate();
    await rig.until(3);
  });

  it('keeps the old connection while the next one is refused', async () => {
    await using service = await SignalingService.start();
    await using rig = new Rig(service);
    rig.connection.open();
    await rig.until(1);
    const accept = refuse(service, '503 Service Unavailable');
    rig.peer(0).send('{"messageType":"GO_AWAY"}');
    await rig.untilRefused(3);
    assert.deepEqual(rig.kinds, ['connected']);
    const sent = received(rig.peer(0), 1);
    rig.connection.current?.sendOffer(sdp);
    await sent;

    // It ends before there is another one.
    rig.peer(0).close(1001, 'time is up');
    await rig.until(2);
    assert.deepEqual(rig.changes[1], { kind: 'disconnected', reason: 'time is up' });
    assert.equal(rig.connection.current, undefined);
    accept();
    await rig.until(3);
    assert.equal(rig.kinds[2], 'connected');
  });

  it('lets wait until it stands, but not beyond an error that is final', async () => {
    await using service = await SignalingService.start();
    await using rig = new Rig(service);
    const { connection } = rig;
    const { signal } = new AbortController();
    const accept = refuse(service, '403 Forbidden', 'AccessDeniedException');
    connection.open();
    await assert.rejects(
      connection.ready(signal, ({ code }) => code === ErrorCode.accessDenied),
      { code: 'KVSB_ACCESS_DENIED' },
    );
    const abort = new AbortController();
    const aborted = assert.rejects(
      connection.ready(abort.signal, () => false),
      /enough/,
    );
    abort.abort(new Error('enough'));
    await aborted;
    const patient = connection.ready(signal, () => false);
    accept();
    await patient;
    await connection.ready(signal, () => true);
    assert.equal(connection.listenerCount('refused'), 1);
  });

  it('can be ended at any moment, any number of times', async () => {
    await using service = await SignalingService.start();
    const unopened = new Rig(service);
    await unopened[Symbol.asyncDispose]();

    const connecting = new Rig(service);
    connecting.connection.open();
    await connecting[Symbol.asyncDispose]();

    const connected = new Rig(service);
    connected.connection.open();
    await connected.until(1);
    await Promise.all([connected[Symbol.asyncDispose](), connected[Symbol.asyncDispose]()]);
    assert.deepEqual(connected.kinds, ['connected']);
    assert.equal(connected.connection.current, undefined);

    service.refuse('503 Service Unavailable', [], '{}');
    const refused = new Rig(service, { rhythm: { ...rhythm, minDelayMs: 60_000 } });
    refused.connection.open();
    await refused.untilRefused(1);
    await refused[Symbol.asyncDispose]();
    assert.equal(refused.errors.length, 1);
  });
});
