/** AWS's kvssink: whether it is there, and which sink is chosen. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SinkMode, chooseSink } from '../../kvssink/choose-sink.js';
import { Isolation } from '../../media/create-session.js';
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import type { Machine } from '../machine.js';

const pluginFile = 'libgstkvssink.so';

export const kvssinkCheck: Check = {
  topic: 'kvssink',
  run: async ({ options, machine, media }) => {
    const asked = await media.ask();
    if (!asked.ok || !('missing' in asked.value)) {
      return [skipped('kvssink', 'the addon does not start GStreamer')];
    }
    const plugin = asked.value.kvssink;
    if (plugin === undefined) {
      const file = unusedPlugin(machine);
      if (file !== undefined) return [finding('kvssink.not-loading', { file })];
      if (options.sink === SinkMode.kvssink) return [finding('kvssink.wanted', {})];
    }
    const { sink, reason } = chooseSink(options.sink, {
      hasOwnProcess: options.isolation === Isolation.process,
      hasElement: () => plugin !== undefined,
    });
    return [
      plugin === undefined
        ? finding('kvssink.absent', { reason })
        : finding('kvssink.found', { ...plugin, sink, reason }),
    ];
  },
};

/** The plugin's file where GStreamer was told to look, although GStreamer does not know it. */
function unusedPlugin({ env }: Machine): string | undefined {
  const folders = [env['GST_PLUGIN_PATH_1_0'], env['GST_PLUGIN_PATH']]
    .flatMap((list) => (list ?? '').split(':'))
    .filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, pluginFile)).find((file) => existsSync(file));
}
