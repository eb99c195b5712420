/**
 * Tells another service of each fragment that KVS keeps, by an HTTP POST, one after the other.
 *
 * The receiver may be slow or away: the recording never waits for it. Its messages do, up to
 * `capacity` of them; then the oldest go, and a `dropped` message says how many. What a receiver
 * missed is in the stream all the same: ListFragments has it.
 *
 * Run it: `node dist/examples/forward-acks.js front-door front-archive http://127.0.0.1:9000/fragments`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KvsBridge } from 'kvs-bridge';
import { connection } from './connection.js';

const [channel = '', stream = '', receiver = ''] = process.argv.slice(2);

const bridge = new KvsBridge({ ...connection, channel, stream, createStream: true });
process.once('SIGINT', () => void bridge.stop());
process.once('SIGTERM', () => void bridge.stop());

/** Tries again until the receiver takes it: with the same body, so that it can tell a repeat. */
async function post(message: object): Promise<void> {
  for (let delayMs = 100; ; delayMs = Math.min(2 * delayMs, 10_000)) {
    try {
      const response = await fetch(receiver, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(10_000),
      });
      // Read to its end, so that the connection can be used again.
      await response.arrayBuffer();
      if (response.ok) return;
      console.error(`the receiver answered ${response.status}`);
    } catch (error) {
      console.error('the receiver cannot be reached', error);
    }
    await sleep(delayMs);
  }
}

// It collects from here on, so it stands before `start`.
const events = bridge.events({ names: ['persisted', 'gap'], capacity: 10_000 });
await bridge.start();
// The next event is asked for when this one is delivered. It ends after `stop`, with nothing waiting.
for await (const { name, atMs, data } of events) {
  await post({ name, atMs, stream, ...data });
}
