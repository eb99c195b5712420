/** Everything a command says: events, log lines, plain text, the error that ends it. */
import { createLogger, redact, redactFields } from '../../lib/index.js';
import type { KvsBridgeError, LogLevels } from '../../lib/index.js';
import { exitCodeOf } from './exit-codes.js';
import { prettyLine } from './pretty-line.js';
import type { Terminal } from './terminal.js';

/** How a command speaks. */
export interface OutputOptions {
  readonly terminal: Terminal;
  /** Events go to stdout as JSON, one object a line. */
  readonly json: boolean;
  readonly logLevel: LogLevels;
  /** Log lines are for people, not for machines. */
  readonly pretty: boolean;
  readonly color: boolean;
}

/** The level at which an event is logged when it is not written as JSON. */
export type EventLevel = 'debug' | 'info' | 'warn';

/** What a command says, in the form that was asked for. */
export class Output {
  readonly json: boolean;
  readonly color: boolean;
  readonly terminal: Terminal;
  readonly log: ReturnType<typeof createLogger>;

  constructor({ terminal, json, logLevel, pretty, color }: OutputOptions) {
    this.terminal = terminal;
    this.json = json;
    this.color = color;
    this.log = createLogger({
      ...logLevel,
      write: (line) => {
        terminal.err(pretty ? prettyLine(line, color) : line);
      },
    });
  }

  /**
   * Something happened: an NDJSON line with `--json`, else a log line.
   *
   * @param message - the event in words, for the log
   */
  event(event: string, fields: object, message: string, level: EventLevel = 'info'): void {
    if (this.json) this.write(event, fields);
    else this.log[level]({ event, ...fields }, message);
  }

  /** Something went wrong and the command goes on. */
  warning(error: KvsBridgeError): void {
    const { code, message, fix } = error;
    const fields = { code, ...(fix === undefined ? {} : { fix }) };
    if (this.json) this.write('warning', { message, ...fields });
    this.log.warn(fields, message);
  }

  /** A line for people; left out with `--json`. */
  print(line: string): void {
    if (!this.json) this.terminal.out(line);
  }

  /** What ends the command: one line on stderr, whatever the log level, and the `error` event. */
  failure(error: KvsBridgeError): void {
    const { code, message, fix } = error;
    const exitCode = exitCodeOf(code);
    if (this.json)
      this.write('error', { code, exitCode, message, ...(fix === undefined ? {} : { fix }) });
    this.terminal.live(undefined);
    const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
    const line = `kvs-bridge: ${sentence}${fix === undefined ? '' : ` ${fix}`} [${code}]`;
    this.terminal.err(redact(line).replaceAll(/\s*\n\s*/g, ' '));
    this.log.debug({ code, stack: error.stack }, 'where the error came from');
  }

  /** An NDJSON line on stdout. */
  write(event: string, fields: object): void {
    const time = new Date().toISOString();
    this.terminal.out(JSON.stringify(redactFields({ time, event, ...fields })));
  }
}
