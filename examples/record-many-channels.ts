/**
 * Records many channels in one program, each for as long as the program runs.
 *
 * A bridge never gives up, and its media runs in a process of its own: what happens to one channel
 * does not touch the others. All of them log to one logger, as JSON, with their channel.
 *
 * Run it: `node dist/examples/record-many-channels.js front-door=front-archive back-door=back-archive`
 */
import { KvsBridge, createLogger } from 'kvs-bridge';
import type { BridgeEnd } from 'kvs-bridge';
import { connection } from './connection.js';

const log = createLogger({ level: 'info', write: (line) => process.stdout.write(`${line}\n`) });

async function record(channel: string, stream: string, signal: AbortSignal): Promise<BridgeEnd> {
  const bridge = new KvsBridge({
    ...connection,
    channel,
    stream,
    createStream: true,
    logger: log.child({ channel }),
  });
  // Resolves when the first offer is out, however long AWS needs; `signal` ends it in any state.
  await bridge.start({ signal });
  return bridge.finished();
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    stop.abort();
  });
}

const pairs = process.argv.slice(2).map((argument) => argument.split('='));
const ends = await Promise.allSettled(
  pairs.map(([channel = '', stream = '']) => record(channel, stream, stop.signal)),
);
for (const [index, end] of ends.entries()) {
  const channel = pairs[index]?.[0];
  if (end.status === 'rejected') {
    log.error({ channel, err: end.reason as unknown }, 'ended by an error');
    process.exitCode = 1;
  } else if (end.value.videoFramesUnsaved > 0) {
    log.error({ channel, frames: end.value.videoFramesUnsaved }, 'received and not saved');
    process.exitCode = 1;
  }
}
