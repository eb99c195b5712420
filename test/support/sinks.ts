/** The sinks that tests run against. */
import type { KvsBridgeOptions } from '../../lib/index.js';
import { loadNative } from '../../lib/media/native.js';

/** Name of a sink, as `--sink` takes it. */
export type SinkName = 'putmedia' | 'kvssink';

/** Every sink, in the order of tables. */
export const sinkNames: readonly SinkName[] = ['putmedia', 'kvssink'];

/** Why a sink cannot run on this machine; undefined when it can. */
export function missingSink(sink: SinkName): string | undefined {
  if (sink === 'putmedia' || loadNative().hasElement('kvssink')) return undefined;
  return 'GStreamer finds no kvssink here (GST_PLUGIN_PATH and LD_LIBRARY_PATH can name one)';
}

/** Options of a Bridge that uses this sink and no other. */
export function sinkOptions(sink: SinkName): Partial<KvsBridgeOptions> {
  return { sink };
}

/** Arguments of `kvs-bridge start` that choose this sink and no other. */
export function sinkArguments(sink: SinkName): readonly string[] {
  return ['--sink', sink];
}
