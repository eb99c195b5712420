/** Media through a real TURN server (coturn), whose credentials come from GetIceServerConfig. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { KvsBridge, TestMaster } from '../../lib/index.js';
import { eventThat } from '../support/events.js';
import { LocalStack } from '../support/local-stack.js';

/** The server shares it with whoever hands out credentials, which end, as the service's do. */
const secret = 'shared-with-the-turn-server';

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** An address of this machine that a candidate may have: not loopback where there is another. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const ipv4 = addresses.filter(({ family }) => family === 'IPv4');
  return (ipv4.find(({ internal }) => !internal) ?? ipv4[0])?.address ?? '127.0.0.1';
}

/** Starts coturn with one user; resolves when it listens. */
async function startTurn(port: number): Promise<{ stop(): Promise<void>; allocations(): number }> {
  const child = spawn(
    'turnserver',
    [
      '-n',
      `--listening-ip=${ownAddress()}`,
      `--listening-port=${port}`,
      `--relay-ip=${ownAddress()}`,
      '--realm=kvs-bridge.test',
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--verbose',
      '--log-file=stdout',
      '--simple-log',
      '--pidfile=/dev/null',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let allocations = 0;
  const listening = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/UDP listener opened|IPv4\. UDP listener opened/.test(line)) resolve();
      if (line.includes('ALLOCATE processed, success')) allocations += 1;
    });
  });
  await listening;
  return {
    allocations: () => allocations,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

describe('TURN', () => {
  it('records through a relay alone, with credentials as the service makes them', async () => {
    const port = await freePort();
    const turn = await startTurn(port);
    try {
      await using stack = await LocalStack.start({
        iceServers: [
          {
            uris: [`turn:${ownAddress()}:${port}?transport=udp`],
            // Both hold characters of base64.
            username: 'QVNJQS90dXJuL3VzZXI=',
            password: '',
            secret,
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
      assert.ok(turn.allocations() >= 1);
      assert.equal(totals.videoFramesStored, totals.videoFramesReceived);
      assert.equal(totals.videoFramesLost, 0);
    } finally {
      await turn.stop();
    }
  });
});
