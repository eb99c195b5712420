/** Broken set-ups of STUN and TURN, with a real TURN server. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { StunAttribute, StunType, encode } from '../../lib/doctor/stun/message.js';
import { localCredentials, runDoctor } from '../../lib/index.js';
import type { DoctorOptions, DoctorReport, LocalIceServer } from '../../lib/index.js';
import type { BrokenSetUp } from './doctor-cases.js';
import { freePort } from './free-port.js';
import { TestKvs } from './local-kvs.js';
import { turnSecret } from './turn-server.js';

/** Runs doctor on a channel whose GetIceServerConfig lists these. */
export async function diagnoseIce(
  iceServers: readonly LocalIceServer[],
  options: DoctorOptions = {},
): Promise<DoctorReport> {
  await using server = await TestKvs.start({ iceServers });
  await server.createChannel('door');
  return await runDoctor({
    channel: 'door',
    endpoint: server.kvs.url,
    region: server.kvs.region,
    credentials: localCredentials,
    stunUri: null,
    stepTimeoutMs: 20_000,
    only: ['ice'],
    ...options,
  });
}

/** A server of the list. */
export function iceServer(uri: string, secret = turnSecret): LocalIceServer {
  return { uris: [uri], username: 'viewer', password: '', secret };
}

/** Answers every request with 486 (RFC 8656, 19: Allocation Quota Reached). */
async function fullTurnServer(): Promise<Disposable & { readonly port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    const answer = encode({
      type: StunType.allocateError,
      transactionId: bytes.subarray(8, 20),
      attributes: [
        {
          type: StunAttribute.errorCode,
          value: Buffer.concat([
            Buffer.from([0, 0, 4, 86]),
            Buffer.from('Allocation Quota Reached'),
          ]),
        },
      ],
    });
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    [Symbol.dispose]: () => {
      socket.close();
    },
  };
}

/** The table. @param turnPort - where a TURN server listens */
export async function networkCases(turnPort: number): Promise<readonly BrokenSetUp[]> {
  const closed = await freePort();
  return [
    {
      name: 'a TURN server with another secret',
      id: 'ice.turn-refused',
      fix: /that it shares the secret with whoever hands out its credentials$/,
      diagnose: () => diagnoseIce([iceServer(`turn:127.0.0.1:${turnPort}`, 'another')]),
    },
    {
      name: 'a TURN server that is down, over UDP',
      id: 'ice.turn-silent',
      fix: `Let outbound UDP to port ${closed} through`,
      diagnose: () => diagnoseIce([iceServer(`turn:127.0.0.1:${closed}?transport=udp`)]),
    },
    {
      name: 'a TURN server that is down, over TCP',
      id: 'ice.turn-unreachable',
      fix: `Let outbound TCP to port ${closed} through`,
      diagnose: () => diagnoseIce([iceServer(`turn:127.0.0.1:${closed}?transport=tcp`)]),
    },
    {
      name: 'a TURN server without room',
      id: 'ice.turn-failed',
      fix: /^Try again in a minute: a channel has 50 allocations/,
      diagnose: async () => {
        using full = await fullTurnServer();
        return await diagnoseIce([iceServer(`turn:127.0.0.1:${full.port}`)]);
      },
    },
    {
      name: 'a STUN server that is down',
      id: 'ice.stun-silent',
      fix: `Let outbound UDP to port ${closed} through`,
      diagnose: () => diagnoseIce([], { stunUri: `stun:127.0.0.1:${closed}` }),
    },
    {
      name: 'no server that can be reached',
      id: 'ice.none',
      fix: /^Let outbound UDP and TCP 443 through/,
      diagnose: () =>
        diagnoseIce([iceServer(`turn:127.0.0.1:${closed}`)], {
          stunUri: `stun:127.0.0.1:${closed}`,
        }),
    },
    {
      name: 'a STUN server whose name nobody knows',
      id: 'ice.unresolved',
      fix: /^Check --stun-server and the DNS/,
      diagnose: () => diagnoseIce([], { stunUri: 'stun:stun.invalid:3478' }),
    },
    {
      name: 'relays only, and none there',
      id: 'ice.no-relay',
      fix: /^Leave --relay-only out, or configure a TURN server/,
      diagnose: () => diagnoseIce([], { relayOnly: true }),
    },
  ];
}
