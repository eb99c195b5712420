/** Media through a real TURN server (coturn), with credentials as GetIceServerConfig has them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster, createLogger, createMetrics } from '../../lib/index.js';
import type { MediaPath } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';
import { ownAddress } from '../support/own-address.js';
import { Scrape } from '../support/prometheus.js';
import { TurnServer, turnSecret } from '../support/turn-server.js';

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe('TURN', () => {
  it('records through a relay alone, and says that it costs', async () => {
    const port = await freePort();
    const address = ownAddress();
    await using turn = await TurnServer.start({ address, port });
    await using stack = await LocalStack.start({
      iceServers: [
        {
          uris: [`turn:${address}:${port}?transport=udp`],
          // Both hold characters of base64.
          username: 'QVNJQS90dXJuL3VzZXI=',
          password: '',
          secret: turnSecret,
        },
      ],
    });
    await using master = new TestMaster({ ...stack.connection, width: 640, height: 360 });
    await master.start();
    const lines: Record<string, unknown>[] = [];
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      relayOnly: true,
      logger: createLogger({
        level: 'info',
        write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
      }),
    });
    const metrics = createMetrics(bridge);
    const persisted = eventThat(bridge, 'persisted', () => true, 30_000);
    const path = eventThat(bridge, 'path', () => true, 30_000);
    await bridge.start();
    const [{ local, remote }] = (await path) as [MediaPath];
    await persisted;
    const scrape = new Scrape(await metrics.registry.metrics());
    const { totals } = await bridge.stop();
    assert.equal(local, 'relay');
    assert.equal(scrape.sum('kvs_bridge_ice_candidate_pair', { local, remote }), 1);
    assert.ok((scrape.sum('kvs_bridge_ice_relayed_seconds_total') ?? 0) > 0);
    const told = lines.filter(({ msg }) => String(msg).includes('relayed by TURN'));
    assert.deepEqual(
      told.map(({ level, component, msg }) => [level, component, msg]),
      [
        [
          'warn',
          'media',
          `media path: relay to ${remote} over udp: relayed by TURN, and AWS charges for its minutes`,
        ],
      ],
    );
    assert.ok(turn.allocations >= 1);
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.videoFramesLost, 0);
  });
});
