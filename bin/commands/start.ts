/** `kvs-bridge start` */
import {
  ErrorCode,
  KvsBridge,
  PutMediaError,
  createHealthServer,
  createMetrics,
} from '../../lib/index.js';
import type { BridgeEnd, HealthServer } from '../../lib/index.js';
import { logOptions, reportBridge } from '../cli/bridge-report.js';
import { bridgeOptionsOf } from '../cli/bridge-options.js';
import type { StartSettings } from '../cli/bridge-options.js';
import type { CommandContext } from '../cli/command-context.js';
import { required } from '../cli/settings.js';
import { startTraceExport } from '../cli/trace-export.js';

/** Records until told to stop. */
export async function runStart(settings: StartSettings, context: CommandContext): Promise<void> {
  const { output, signal } = context;
  let stopAtMs: number | undefined;
  signal.addEventListener('abort', () => (stopAtMs = performance.now()));
  const traces = await startTraceExport(process.env, output);
  try {
    await record(settings, context);
  } finally {
    const passedMs = stopAtMs === undefined ? 0 : performance.now() - stopAtMs;
    await traces?.end(Math.max(0, settings.drainTimeout - passedMs));
  }
}

async function record(
  settings: StartSettings,
  { output, signal, beforeLeaving }: CommandContext,
): Promise<void> {
  const channel = required('channel', settings.channel);
  const stream = required('stream', settings.stream);
  const options = bridgeOptionsOf(settings);
  const bridge = new KvsBridge({ ...options, ...logOptions(settings, output), channel, stream });
  await using server = await serveHealth(bridge, settings);
  if (server !== undefined) {
    const { url } = server;
    output.event('http', { url }, `health and metrics on ${url}/readyz and ${url}/metrics`);
  }
  beforeLeaving(() => {
    bridge.abandon();
  });
  reportBridge(bridge, output, settings);
  await bridge.start({ signal });
  const { region, endpoint } = options;
  output.event(
    'ready',
    {
      channel,
      stream,
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    `offered on channel ${channel}; what its master sends goes to stream ${stream}`,
  );
  requireSaved(await bridge.finished(), settings.drainTimeout);
}

/** Health and metrics, when they are asked for. */
async function serveHealth(
  bridge: KvsBridge,
  { httpPort, httpHost }: StartSettings,
): Promise<HealthServer | undefined> {
  if (httpPort === undefined) return undefined;
  const { registry } = createMetrics(bridge);
  return createHealthServer({ bridges: [bridge], registry, port: httpPort, host: httpHost });
}

/**
 * A drain that did not end well is a failure, also when stopping was asked for. What is on disk is
 * stored by the next start.
 *
 * @throws {@link PutMediaError} when frames were received that are neither persisted nor spooled
 */
export function requireSaved({ videoFramesUnsaved }: BridgeEnd, drainTimeoutMs: number): void {
  if (videoFramesUnsaved === 0) return;
  throw new PutMediaError(
    ErrorCode.notPersisted,
    `${videoFramesUnsaved} video frames were not confirmed as persisted within ${drainTimeoutMs / 1_000} s, and are not in the spool`,
    {
      fix: 'Check the network, the stream and --spool-dir; --drain-timeout sets how long to wait.',
    },
  );
}
