/** Says what a Bridge does: its events as output, its status on the live line. */
import { describeEvent, gstThresholdsOf } from '../../lib/index.js';
import type { BridgeEventName, KvsBridge, Logger } from '../../lib/index.js';
import { EventFilter } from './event-filter.js';
import type { EventSettings } from './event-filter.js';
import { withoutLines } from './filtered-logger.js';
import type { Values } from './option-table.js';
import type { Output } from './output.js';
import { StatusKeeper, renderStatus } from './status-line.js';

const redrawIntervalMs = 500;

/** The part of a Bridge's options that says how it logs. */
interface LogOptions {
  readonly logger: Logger;
  readonly gstDebug: string;
}

/**
 * What a Bridge logs, and through what. Its events are left out with `--json`, which has them on
 * stdout, and so is the error that ends it: that is the command's last line.
 *
 * @param without - events that the command logs itself
 */
export function logOptions(
  { logLevel, gstDebug }: Values<'logLevel' | 'gstDebug'>,
  output: Output,
  without: readonly BridgeEventName[] = [],
): LogOptions {
  const logger = withoutLines(output.log, (level, fields) => {
    const event: unknown = Reflect.get(fields, 'event');
    if (typeof event !== 'string' || event === 'warning') return false;
    const isOwn = without.some((name) => name === event);
    return output.json || isOwn || (event === 'stopped' && level === 'error');
  });
  return { logger, gstDebug: gstDebug ?? gstThresholdsOf(logLevel) };
}

/** Writes the chosen events of `bridge` with `--json`, and shows its state on a terminal. */
export function reportBridge(bridge: KvsBridge, output: Output, settings: EventSettings): void {
  const filter = new EventFilter(settings);
  bridge.subscribe((event) => {
    if (!output.json || !filter.takes(event)) return;
    const { fields, message } = describeEvent(event);
    output.write(event.name, event.name === 'warning' ? { message, ...fields } : fields);
  });
  keepStatus(bridge, output);
}

function keepStatus(bridge: KvsBridge, output: Output): void {
  const { terminal, color } = output;
  if (terminal.columns === 0) return;
  const keeper = new StatusKeeper(bridge);
  const draw = (): void => {
    // One column short: some terminals wrap at the last one all the same.
    const columns = Math.max(1, terminal.columns - 1);
    terminal.live(renderStatus(keeper.read(), { columns, color }));
  };
  const timer = setInterval(draw, redrawIntervalMs);
  bridge.on('state', draw);
  bridge.once('stopped', () => {
    clearInterval(timer);
    bridge.off('state', draw);
    terminal.live(undefined);
  });
  draw();
}
