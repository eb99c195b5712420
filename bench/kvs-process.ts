/** The local KVS of the benchmarks, in a process of its own: notes when frames and fragments arrive. */
import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { LocalKvs } from '../lib/local/index.js';
import { FrameStamps } from './frame-stamps.js';
import type { KvsReady, KvsReport, ToKvs } from './kvs-messages.js';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined || process.send === undefined) {
  throw new TypeError('to be forked, with the data folder as its argument');
}

let frameLatenciesMs: number[] = [];
let persistLagsMs: number[] = [];

/** On the clock that the senders read. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** Reads along. The listener comes first and last with the server's own, so that nothing is missed. */
function readAlong(request: IncomingMessage): void {
  const stamps = new FrameStamps();
  request.on('newListener', function attach(name) {
    if (name !== 'data') return;
    request.off('newListener', attach);
    request.on('data', (chunk: Buffer) => {
      const nowMs = monotonicMs();
      for (const sentMs of stamps.push(chunk)) frameLatenciesMs.push(nowMs - sentMs);
    });
  });
}

subscribe('http.server.request.start', (message) => {
  if (typeof message !== 'object' || message === null || !('request' in message)) return;
  const { request } = message;
  if (request instanceof IncomingMessage && request.url === '/putMedia') readAlong(request);
});

const kvs = await LocalKvs.start({ dataDir, tls: 'self-signed' });
kvs.on('fragment', ({ producerTimestampMs, durationMs }) => {
  persistLagsMs.push(Date.now() - producerTimestampMs - durationMs);
});

process.on('message', ({ type }: ToKvs) => {
  if (type === 'report') {
    const fragments = persistLagsMs.length;
    process.send?.({ type, frameLatenciesMs, persistLagsMs, fragments } satisfies KvsReport);
  }
  frameLatenciesMs = [];
  persistLagsMs = [];
});
process.on('disconnect', () => void kvs.close().then(() => process.exit()));
process.on('SIGTERM', () => void kvs.close().then(() => process.exit()));

process.send({
  type: 'ready',
  url: kvs.endpoints.https ?? '',
  ca: kvs.caPem ?? '',
} satisfies KvsReady);
