/** Media through a real TURN server (coturn), whose credentials come from GetIceServerConfig. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';
import { ownAddress } from '../support/own-address.js';
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
  it('records through a relay alone, with credentials as the service makes them', async () => {
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
    const bridge = new KvsBridge({
      ...stack.connection,
      stream: stack.stream,
      relayOnly: true,
    });
    const persisted = eventThat(bridge, 'persisted', () => true, 30_000);
    await bridge.start();
    await persisted;
    const { totals } = await bridge.stop();
    assert.ok(turn.allocations >= 1);
    assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
    assert.equal(totals.videoFramesLost, 0);
  });
});
