/**
 * Records a channel while somebody wants it: a small HTTP service.
 *
 *     PUT    /recordings/front-door   begins; the answer comes when KVS keeps the first fragment
 *     GET    /recordings              what is recorded, and in which state
 *     DELETE /recordings/front-door   stores what was received, ends, and counts it
 *
 * The media of channel `front-door` goes to the stream `front-door-archive`, which is made where it
 * is missing. It has no authentication of its own and listens on the loopback only: put it behind
 * what you have.
 *
 * Run it: `PORT=8080 node dist/examples/record-on-demand.js`
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KvsBridge } from 'kvs-bridge';
import type { PersistedFragment } from 'kvs-bridge';
import { connection } from './connection.js';

/** How long a camera may take to wake up, in ms. */
const firstFragmentMs = 60_000;

interface Answer {
  readonly status: number;
  readonly body: object;
}

const recordings = new Map<string, KvsBridge>();

async function begin(channel: string): Promise<Answer> {
  if (recordings.has(channel)) return { status: 409, body: { error: `${channel} is recorded` } };
  const bridge = new KvsBridge({
    ...connection,
    channel,
    stream: `${channel}-archive`,
    createStream: true,
    // Somebody waits for the answer: a channel that does not exist is better said than awaited.
    exitOnFatal: true,
  });
  recordings.set(channel, bridge);
  bridge.once('stopped', () => recordings.delete(channel));
  const signal = AbortSignal.timeout(firstFragmentMs);
  try {
    const [[fragment]] = (await Promise.all([
      once(bridge, 'persisted', { signal }),
      bridge.start(),
    ])) as [[PersistedFragment], undefined];
    return { status: 201, body: { stream: `${channel}-archive`, since: fragment.timecodeMs } };
  } catch (error) {
    await bridge.stop();
    return { status: 504, body: { error: error instanceof Error ? error.message : 'unknown' } };
  }
}

async function end(channel: string): Promise<Answer> {
  const bridge = recordings.get(channel);
  if (bridge === undefined) return { status: 404, body: { error: `${channel} is not recorded` } };
  const { totals } = await bridge.stop();
  const { videoFramesReceived, videoFramesStored } = totals;
  return { status: 200, body: { videoFramesReceived, videoFramesStored } };
}

async function answer({ method, url = '' }: IncomingMessage): Promise<Answer> {
  if (method === 'GET' && url === '/recordings') {
    return {
      status: 200,
      body: [...recordings].map(([channel, { state }]) => ({ channel, state })),
    };
  }
  const channel = /^\/recordings\/([\w.-]{1,248})$/.exec(url)?.[1];
  if (channel !== undefined && method === 'PUT') return begin(channel);
  if (channel !== undefined && method === 'DELETE') return end(channel);
  return { status: 404, body: { error: 'PUT or DELETE /recordings/<channel>' } };
}

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  });
});
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

const shutDown = async (): Promise<void> => {
  server.close();
  await Promise.all([...recordings.values()].map((bridge) => bridge.stop()));
};
process.once('SIGINT', () => void shutDown());
process.once('SIGTERM', () => void shutDown());
