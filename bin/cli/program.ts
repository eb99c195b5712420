/** The commands, their options and help; from arguments to an exit code. */
import { Command, CommanderError, Option } from 'commander';
import { ErrorCode, KvsBridgeError, OptionsError } from '../../lib/index.js';
import type { LogLevels } from '../../lib/index.js';
import { runDemo } from '../commands/demo.js';
import { runDoctorCommand } from '../commands/doctor.js';
import { runGaps } from '../commands/gaps.js';
import { runLocal } from '../commands/local.js';
import { runPublish } from '../commands/publish.js';
import { runStart } from '../commands/start.js';
import type { CommandContext } from './command-context.js';
import { exitCodeOf, exitCodesHelp } from './exit-codes.js';
import { OptionGroup, envNamesOf, flagOf, pairSeparator } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';
import { commandOptions } from './command-options.js';
import { optionTable } from './option-table.js';
import type { LogFormat, OptionName } from './option-table.js';
import { Output } from './output.js';
import { packageVersion } from './package-version.js';
import { configEnv, resolveSettings } from './settings.js';
import { StopRequest, StopSignals } from './stop-signals.js';
import { Terminal } from './terminal.js';

type CommandName = keyof typeof commandOptions;

const examples: Readonly<Record<CommandName, string>> = {
  start: `Examples:
  # On AWS, with the credentials of the ordinary chain
  kvs-bridge start --region eu-central-1 --channel front-door --stream front-door --create-stream
  # The same from the environment, as a service would
  AWS_REGION=eu-central-1 KVS_BRIDGE_CHANNEL=front-door KVS_BRIDGE_STREAM=front-door kvs-bridge start
  # Against kvs-bridge local
  kvs-bridge start --local --channel test --stream test --create-stream`,
  doctor: `Examples:
  # With the options that start is to get
  kvs-bridge doctor --region eu-central-1 --channel front-door --stream front-door
  kvs-bridge doctor --only node,addon,gstreamer,kvssink
  kvs-bridge doctor --local --channel test --stream test --json | jq 'select(.severity == "error")'`,
  gaps: `Examples:
  kvs-bridge gaps --stream front-door
  kvs-bridge gaps --stream front-door --since 24h --json | jq 'select(.event == "gap")'`,
  local: `Examples:
  kvs-bridge local
  kvs-bridge local --port 0 --json | jq -r 'select(.event == "ready").endpoint'`,
  publish: `Examples:
  kvs-bridge publish --source test --local --channel test --create-channel
  kvs-bridge publish --source test --region eu-central-1 --channel front-door --fps 15`,
  demo: `Examples:
  kvs-bridge demo
  kvs-bridge demo --duration 20 --json | tail -n 1`,
};

const descriptions: Readonly<Record<CommandName, string>> = {
  start: "Record a signaling channel's master into a video stream until Ctrl-C",
  doctor: 'Check everything that `start` with the same options needs, and say how to mend it',
  gaps: 'List what a stream misses, and why, from the ledger that `start` keeps',
  local: 'Run a KVS on this machine: channels, signaling, streams, PutMedia, read-back',
  publish: 'Join a channel as its master and send a test picture and tone',
  demo: 'Show it all at work on this machine: local KVS, test master, recording',
};

/**
 * Runs a command line.
 *
 * @param args - what follows the program's name
 * @returns the exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  // A closed pipe is no crash: StopSignals ends the command in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  if (args.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const output = createOutput({ json: wantsJson(args) });
    output.failure(usageError(error));
    return exitCodeOf(ErrorCode.options);
  }
  return exitCode;
}

function createProgram(onExitCode: (code: number) => void): Command {
  const program = new Command('kvs-bridge')
    .description('Records a live WebRTC master of a Kinesis Video channel into a Kinesis stream.')
    .version(packageVersion(), '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Show help; `kvs-bridge <command> --help` tells everything')
    .helpCommand(false)
    .exitOverride()
    // Errors are told by `failure`, in one line.
    .configureOutput({ writeErr: () => undefined })
    .addHelpText('after', () => `\n${configHelp}\n\n${exitCodesHelp()}`);
  addCommand(program, 'start', commandOptions.start, runStart, onExitCode);
  addCommand(program, 'doctor', commandOptions.doctor, runDoctorCommand, onExitCode);
  addCommand(program, 'gaps', commandOptions.gaps, runGaps, onExitCode);
  addCommand(program, 'local', commandOptions.local, runLocal, onExitCode);
  addCommand(program, 'publish', commandOptions.publish, runPublish, onExitCode);
  addCommand(program, 'demo', commandOptions.demo, runDemo, onExitCode);
  return program;
}

const configHelp = `Each option may also be an environment variable, named with it, or an entry of a JSON file
(--config or ${configEnv}) with the flag's name in camelCase: {"channel": "front-door"}.
A flag counts before the environment, the environment before the file, the file before the default.`;

function addCommand<K extends OptionName>(
  program: Command,
  name: CommandName,
  names: readonly K[],
  run: (settings: ReturnType<typeof resolveSettings<K>>, context: CommandContext) => Promise<void>,
  onExitCode: (code: number) => void,
): void {
  const command = program
    .command(name)
    .description(descriptions[name])
    .helpOption('-h, --help', 'Show this help')
    .allowExcessArguments(false)
    .addHelpText('after', () => `\n${examples[name]}\n\n${configHelp}\n\n${exitCodesHelp()}`);
  const inGroups = Object.values(OptionGroup).flatMap((group) =>
    names.filter((option) => optionTable[option].group === group),
  );
  for (const option of inGroups) command.addOption(toCommander(option));
  command.addOption(
    new Option('--config <file>', `JSON file with options [${configEnv}]`).helpGroup(
      OptionGroup.output,
    ),
  );
  command.action(async () => {
    onExitCode(await runCommand(command, names, run));
  });
}

async function runCommand<K extends OptionName>(
  command: Command,
  names: readonly K[],
  run: (settings: ReturnType<typeof resolveSettings<K>>, context: CommandContext) => Promise<void>,
): Promise<number> {
  const sources = { ...flagsOf(command), env: process.env };
  let output = createOutput({ json: wantsJson(process.argv) });
  try {
    const settings = resolveSettings(names, sources);
    output = createOutput(resolveSettings(['json', 'logLevel', 'logFormat', 'gstDebug'], sources));
    using signals = new StopSignals((cause) => {
      const advice = process.stdin.isTTY ? ', Ctrl-C again leaves at once' : '';
      output.log.info(`stopping (${cause})${advice}`);
    });
    let exitCode = 0;
    await run(settings, {
      output,
      signal: signals.signal,
      beforeLeaving: (action) => {
        signals.beforeLeaving(action);
      },
      endWith: (code) => {
        exitCode = code;
      },
    });
    return exitCode;
  } catch (error) {
    // Asked for before there was anything to stop.
    if (error instanceof StopRequest) return 0;
    const failure = asError(error);
    output.failure(failure);
    return exitCodeOf(failure.code);
  }
}

function asError(error: unknown): KvsBridgeError {
  if (error instanceof KvsBridgeError) return error;
  return new KvsBridgeError(
    ErrorCode.internal,
    error instanceof Error ? error.message : String(error),
    { cause: error, fix: 'This is a bug in kvs-bridge; please report it with --log-level debug.' },
  );
}

function toCommander(name: OptionName): Option {
  const spec: OptionSpec<unknown> = optionTable[name];
  const value =
    spec.value === undefined ? '' : spec.kind === 'optional' ? ' [url]' : ` <${spec.value}>`;
  const shown = spec.defaultText ?? shownDefault(spec);
  const hints = [
    `env ${envNamesOf(name, spec).join(', ')}`,
    ...(shown === undefined ? [] : [`default ${shown}`]),
  ];
  const option = new Option(
    `${flagOf(name, spec)}${value}`,
    `${spec.description} [${hints.join('; ')}]`,
  ).helpGroup(spec.group);
  if (spec.kind !== 'pairs') return option;
  return option.argParser<string>((pair, earlier?: string) =>
    earlier === undefined ? pair : `${earlier}${pairSeparator}${pair}`,
  );
}

function shownDefault(spec: OptionSpec<unknown>): string | undefined {
  if (spec.kind !== 'value') return undefined;
  return typeof spec.default === 'string' || typeof spec.default === 'number'
    ? String(spec.default)
    : undefined;
}

/** What the flags said, as text. */
function flagsOf(command: Command): { flags: Record<string, string>; configPath?: string } {
  const flags: Record<string, string> = {};
  let configPath: string | undefined;
  for (const [key, value] of Object.entries(command.opts<Record<string, unknown>>())) {
    // Commander makes a default for each --no-… by itself.
    if (command.getOptionValueSource(key) !== 'cli') continue;
    if (key === 'config') configPath = String(value);
    else flags[optionNameOf(key)] = String(value);
  }
  return { flags, ...(configPath === undefined ? {} : { configPath }) };
}

/** The option that Commander calls `key`: a flag in the singular has its option in the plural. */
function optionNameOf(key: string): string {
  return Object.hasOwn(optionTable, key) ? key : `${key}s`;
}

/** Whether JSON is asked for, found out without the options being valid. */
function wantsJson(args: readonly string[]): boolean {
  return (
    args.includes('--json') || /^(?:true|1|yes|on)$/i.test(process.env['KVS_BRIDGE_JSON'] ?? '')
  );
}

/** How a command speaks; what is not known yet is as if nobody had said anything. */
interface Speech {
  readonly json: boolean;
  readonly logLevel?: LogLevels;
  readonly logFormat?: LogFormat;
  readonly gstDebug?: string | undefined;
}

function createOutput({ json, logFormat = 'auto', ...speech }: Speech): Output {
  const { stdout, stderr } = process;
  const color = stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const terminal = new Terminal({ stdout, stderr, live: stderr.isTTY && !json });
  const logLevel = logLevelsOf(speech);
  const pretty = logFormat === 'auto' ? stderr.isTTY : logFormat === 'pretty';
  return new Output({ terminal, json, logLevel, pretty, color });
}

/** Whoever asks GStreamer for more wants to see it. */
function logLevelsOf({
  logLevel = { level: 'info' },
  gstDebug,
}: Pick<Speech, 'logLevel' | 'gstDebug'>): LogLevels {
  if (gstDebug === undefined) return logLevel;
  return { ...logLevel, components: { gstreamer: 'trace', ...logLevel.components } };
}

function usageError({ message }: CommanderError): OptionsError {
  const text = message
    .replace(/^error: /, '')
    .replace(/(unknown (?:option|command)) '(.*)'/s, (_, what: string, said: string) => {
      // Without its value, and only a name: anything else may be a secret in the wrong place.
      const [name = ''] = said.split('=');
      return /^(?:-[a-zA-Z]|(?:--)?[a-z][a-z-]{0,30})$/.test(name) ? `${what} '${name}'` : what;
    })
    .replaceAll(/\s*\n\s*/g, ' ');
  return new OptionsError('arguments', `${text.charAt(0).toUpperCase()}${text.slice(1)}`, {
    fix: 'See kvs-bridge --help, or kvs-bridge <command> --help.',
  });
}
