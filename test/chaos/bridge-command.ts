/** What the bridge's process of a run is started with: the command itself, or one with other times. */
import { fileURLToPath } from 'node:url';
import type { KvsBridgeOptions } from '../../lib/index.js';

/** What every bridge of the suite records. */
export const recorded = { channel: 'front-door', stream: 'front-door-archive' } as const;

/** After which time a bridge replaces what the service would end: options that the command lacks. */
export type Rotations = Required<Pick<KvsBridgeOptions, 'signaling' | 'uploadLifetimeMs'>>;

const common = { region: 'us-east-1', relayOnly: true, sink: 'putmedia' } as const;

/** How the bridge of a run differs from one with every default. */
export interface BridgeSettings {
  readonly jitterBufferMs?: number;
  /** Its own times, in place of those that `kvs-bridge start` has. */
  readonly rotations?: Rotations;
}

/** Script and arguments of a bridge that says what happens as `kvs-bridge start --json` does. */
export function bridgeCommand(
  endpoint: string,
  { jitterBufferMs, rotations }: BridgeSettings,
): readonly string[] {
  if (rotations === undefined) return startCommand(endpoint, jitterBufferMs);
  const options: KvsBridgeOptions = {
    ...recorded,
    ...common,
    ...rotations,
    ...(jitterBufferMs === undefined ? {} : { jitterBufferMs }),
    createStream: true,
    endpoint,
    stunUri: null,
  };
  return [scriptAt('scaled-bridge.js'), JSON.stringify(options)];
}

function startCommand(endpoint: string, jitterBufferMs: number | undefined): readonly string[] {
  return [
    scriptAt('../../bin/kvs-bridge.js'),
    'start',
    ...['--channel', recorded.channel],
    ...['--stream', recorded.stream, '--create-stream'],
    ...['--endpoint', endpoint, '--region', common.region],
    ...['--stun-server', 'none', '--relay-only'],
    ...['--sink', common.sink],
    ...(jitterBufferMs === undefined ? [] : ['--jitter-buffer-ms', String(jitterBufferMs)]),
    // Where a kill ends it, the last totals are all there is.
    ...['--json', '--totals-interval', '1', '--log-level', 'silent'],
  ];
}

function scriptAt(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
