/** Records as `kvs-bridge start --json` does, with the library's options as its only argument. */
import { once } from 'node:events';
import { reportBridge } from '../../bin/cli/bridge-report.js';
import { Output } from '../../bin/cli/output.js';
import { Terminal } from '../../bin/cli/terminal.js';
import { requireSaved } from '../../bin/commands/start.js';
import { KvsBridge, LogLevel, bridgeEventNames } from '../../lib/index.js';
import type { KvsBridgeOptions } from '../../lib/index.js';

const options = JSON.parse(process.argv[2] ?? '{}') as KvsBridgeOptions;
const { stdout, stderr } = process;
const terminal = new Terminal({ stdout, stderr, live: false });
const logLevel = { level: LogLevel.silent };
const output = new Output({ terminal, json: true, logLevel, pretty: false, color: false });

const told = once(process, 'SIGTERM');
const bridge = new KvsBridge(options);
reportBridge(bridge, output, { events: bridgeEventNames, totalsInterval: 1_000 });
await bridge.start();
await told;
const end = await bridge.stop();
requireSaved(end, 0);
