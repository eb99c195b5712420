/** Several Bridges in one process, as a service runs them that records many channels. */
import { once } from 'node:events';
import { KvsBridge, localCredentials } from '../lib/index.js';
import type { RecorderPlan, RecordersReady, RecordersReport } from './recorder-messages.js';

const plan = JSON.parse(process.argv[2] ?? '') as RecorderPlan;
let gaps = 0;

const bridges = plan.channels.map((name) => {
  const bridge = new KvsBridge({
    channel: name,
    stream: name,
    endpoint: plan.url,
    ca: plan.ca,
    region: 'us-east-1',
    credentials: localCredentials,
    stunUri: null,
    sink: 'putmedia',
    isolation: plan.isolation,
    spoolDir: plan.spoolDir,
  });
  bridge.on('gap', () => {
    gaps += 1;
  });
  bridge.on('warning', (error) => {
    process.stderr.write(`${name}: ${error.message}\n`);
  });
  return bridge;
});

process.on('message', () => {
  const totals = bridges.map((bridge) => bridge.totals);
  process.send?.({
    type: 'report',
    framesReceived: totals.reduce((sum, { videoFramesReceived }) => sum + videoFramesReceived, 0),
    framesLost: totals.reduce((sum, { videoFramesLost }) => sum + videoFramesLost, 0),
    gaps,
  } satisfies RecordersReport);
});
// Whoever measured is gone: each media process notices that its parent is, and ends.
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => {
  void Promise.all(bridges.map((bridge) => bridge.stop())).then(() => process.exit());
});

/** So many at a time: processes that load Node and GStreamer want a whole core each. */
const startsAtOnce = 4;
for (let first = 0; first < bridges.length; first += startsAtOnce) {
  const group = bridges.slice(first, first + startsAtOnce);
  const stored = group.map((bridge) => once(bridge, 'persisted'));
  await Promise.all([...group.map((bridge) => bridge.start()), ...stored]);
}
process.send?.({ type: 'ready' } satisfies RecordersReady);
