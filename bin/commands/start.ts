/** `kvs-bridge start` */
import { ErrorCode, KvsBridge, PutMediaError } from '../../lib/index.js';
import type { BridgeEnd } from '../../lib/index.js';
import { reportBridge, stoppedFields, stoppedText } from '../cli/bridge-report.js';
import { connectionOf } from '../cli/connection.js';
import type { commandOptions } from '../cli/command-options.js';
import type { Values } from '../cli/option-table.js';
import type { CommandContext } from '../cli/program.js';
import { required } from '../cli/settings.js';

type StartSettings = Values<(typeof commandOptions.start)[number]>;

/** Records until told to stop. */
export async function runStart(
  settings: StartSettings,
  { output, signal, beforeLeaving }: CommandContext,
): Promise<void> {
  const channel = required('channel', settings.channel);
  const stream = required('stream', settings.stream);
  const connection = connectionOf(settings);
  const bridge = new KvsBridge({
    channel,
    stream,
    ...connection,
    createStream: settings.createStream,
    retentionHours: settings.retentionHours,
    ...(settings.clientId === undefined ? {} : { clientId: settings.clientId }),
    videoCodecs: settings.videoCodecs,
    audio: settings.audio,
    isolation: settings.isolation,
    sink: settings.sink,
    fragmentTargetMs: settings.fragmentSeconds,
    jitterBufferMs: settings.jitterBufferMs,
    relayOnly: settings.relayOnly,
    masterTimeoutMs: settings.masterTimeout,
    persistTimeoutMs: settings.persistTimeout,
    drainTimeoutMs: settings.drainTimeout,
    exitOnFatal: settings.exitOnFatal,
    bufferMb: settings.bufferMb,
    mediaMemoryMb: settings.mediaMemoryMb,
    spoolMb: settings.spoolMb,
    ...(settings.spoolDir === undefined ? {} : { spoolDir: settings.spoolDir }),
    ...(settings.tags === undefined ? {} : { tags: settings.tags }),
  });
  beforeLeaving(() => {
    bridge.abandon();
  });
  reportBridge(bridge, output, { persistedLevel: 'debug' });
  bridge.once('stopped', ({ totals, error }) => {
    // An error has the last word: the totals of what failed at once are no news.
    const level = error === undefined ? 'info' : 'debug';
    output.event('stopped', stoppedFields(totals), stoppedText(totals), level);
  });
  await bridge.start({ signal });
  const { region, endpoint } = connection;
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
