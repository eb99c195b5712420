/** The options of `start`, which `doctor` understands too, as those of the library. */
import type { KvsBridgeOptions } from '../../lib/index.js';
import type { commandOptions } from './command-options.js';
import { connectionOf } from './connection.js';
import type { Values } from './option-table.js';

/** What a person set for `start`. */
export type StartSettings = Values<(typeof commandOptions.start)[number]>;

/** The same for the library; channel and stream may be missing. */
export function bridgeOptionsOf(settings: StartSettings): Partial<KvsBridgeOptions> {
  const { channel, stream } = settings;
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(stream === undefined ? {} : { stream }),
    ...connectionOf(settings),
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
  };
}
