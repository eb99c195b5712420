/** What the command line writes: status line, NDJSON, log lines, the last error, exit codes. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { exitCodeOf, exitCodesDocument } from '../../bin/cli/exit-codes.js';
import { Output } from '../../bin/cli/output.js';
import { prettyLine } from '../../bin/cli/pretty-line.js';
import { renderStatus } from '../../bin/cli/status-line.js';
import type { Status } from '../../bin/cli/status-line.js';
import { Terminal } from '../../bin/cli/terminal.js';
import { BridgeState, ErrorCode, KvsBridgeError, LogLevel } from '../../lib/index.js';

class Sink {
  written = '';
  readonly isTTY = true;
  readonly columns = 40;
  write(text: string): boolean {
    this.written += text;
    return true;
  }
  get lines(): readonly string[] {
    return this.written.trimEnd().split('\n');
  }
}

function createOutput(options: { json?: boolean; live?: boolean; logLevel?: LogLevel } = {}): {
  output: Output;
  stdout: Sink;
  stderr: Sink;
} {
  const { json = false, live = false, logLevel = LogLevel.info } = options;
  const stdout = new Sink();
  const stderr = new Sink();
  const terminal = new Terminal({ stdout, stderr, live });
  const output = new Output({
    terminal,
    json,
    logLevel: { level: logLevel },
    pretty: false,
    color: false,
  });
  return { output, stdout, stderr };
}

const status: Status = {
  state: BridgeState.recording,
  codec: 'H264',
  width: 1280,
  height: 720,
  bitrateBps: 2_040_000,
  fragmentsPersisted: 12,
  lagMs: 840,
  framesLost: 0,
};

describe('status line', () => {
  it('tells state, codec and size, bitrate, fragments and lag', () => {
    assert.equal(
      renderStatus(status, { columns: 120, color: false }),
      '● recording  H264 1280x720  2.0 Mbit/s  12 persisted  lag 0.8 s',
    );
  });

  it('tells of losses', () => {
    const line = renderStatus({ ...status, framesLost: 7 }, { columns: 120, color: false });
    assert.match(line, / 7 frames lost$/);
  });

  it('never exceeds the width, and keeps the state longest', () => {
    for (let columns = 1; columns < 90; columns += 1) {
      const line = renderStatus(status, { columns, color: false });
      assert.ok(line.length <= columns, `${line.length} > ${columns}`);
      assert.ok('● recording'.startsWith(line.slice(0, 11)), line);
    }
    assert.equal(
      renderStatus(status, { columns: 40, color: false }),
      '● recording  12 persisted  lag 0.8 s',
    );
  });

  it('colors nothing but the state, and only when asked to', () => {
    const colored = renderStatus(status, { columns: 20, color: true });
    assert.equal(colored, '\u001B[32m● recording\u001B[0m');
  });

  it('shows only what is known', () => {
    const waiting = { state: BridgeState.waiting, fragmentsPersisted: 0, framesLost: 0 };
    assert.equal(renderStatus(waiting, { columns: 80, color: false }), '● waiting  0 persisted');
  });
});

describe('terminal', () => {
  it('lets lines scroll above the live line', () => {
    const { output, stdout, stderr } = createOutput({ live: true });
    output.terminal.live('status 1');
    output.print('a line');
    output.terminal.live('status 2');
    output.terminal.live(undefined);
    assert.equal(stdout.written, 'a line\n');
    const drawn = stderr.written
      .split('\r\u001B[2K')
      .map((part) => part.replaceAll(/.\[\?7[lh]/g, ''));
    assert.deepEqual(drawn, ['status 1', 'status 1', 'status 2', '']);
  });

  it('draws nothing where there is no terminal', () => {
    const { output, stderr } = createOutput();
    output.terminal.live('status');
    assert.equal(stderr.written, '');
    assert.equal(output.terminal.columns, 0);
  });
});

describe('output', () => {
  it('writes events as one JSON object a line with time and event', () => {
    const { output, stdout, stderr } = createOutput({ json: true });
    output.event('state', { state: 'recording' }, 'recording');
    output.event('persisted', { fragmentNumber: '1' }, 'persisted');
    const events = stdout.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['state', 'persisted'],
    );
    for (const { time } of events) {
      assert.equal(typeof time, 'string');
      assert.equal(new Date(String(time)).toISOString(), time);
    }
    assert.equal(stderr.written, '');
  });

  it('logs events as JSON without --json, to stderr', () => {
    const { output, stdout, stderr } = createOutput();
    output.event('state', { state: 'recording' }, 'recording');
    const line = JSON.parse(stderr.written) as Record<string, unknown>;
    assert.deepEqual(
      { ...line, time: '' },
      { level: 'info', time: '', event: 'state', state: 'recording', msg: 'recording' },
    );
    assert.equal(stdout.written, '');
  });

  it('ends with one line that names cause, fix and code, whatever the log level', () => {
    for (const json of [false, true]) {
      const { output, stdout, stderr } = createOutput({ json, logLevel: LogLevel.silent });
      const fix = 'Create it.';
      output.failure(
        new KvsBridgeError(ErrorCode.channelNotFound, 'There is\nno channel', { fix }),
      );
      assert.equal(
        stderr.written,
        'kvs-bridge: There is no channel. Create it. [KVSB_CHANNEL_NOT_FOUND]\n',
      );
      if (!json) continue;
      const event = JSON.parse(stdout.written) as Record<string, unknown>;
      assert.equal(event['event'], 'error');
      assert.equal(event['code'], 'KVSB_CHANNEL_NOT_FOUND');
      assert.equal(event['exitCode'], 12);
      assert.equal(event['fix'], fix);
    }
  });

  it('lets no secret out, nested or not, in events, logs and errors', () => {
    const url = 'wss://host/?X-Amz-Signature=0123abcd&X-Amz-Security-Token=t0k3n';
    for (const json of [false, true]) {
      const { output, stdout, stderr } = createOutput({ json });
      output.event('state', { a: { b: [url] } }, `went to ${url}`);
      output.warning(new KvsBridgeError(ErrorCode.signaling, url));
      output.failure(new KvsBridgeError(ErrorCode.signaling, url, { fix: url }));
      const all = stdout.written + stderr.written;
      assert.match(all, /\[redacted\]/);
      assert.doesNotMatch(all, /0123abcd|t0k3n/);
    }
  });
});

describe('log lines for people', () => {
  it('shows time, message and fix', () => {
    const line = JSON.stringify({
      time: '2026-01-01T00:00:00Z',
      level: 'warn',
      msg: 'm',
      fix: 'f',
    });
    assert.match(prettyLine(line, false), /^\d\d:\d\d:\d\d ! m\. f$/);
    assert.equal(prettyLine('no JSON', false), 'no JSON');
  });
});

describe('exit codes', () => {
  it('differ for each cause that a person can mend', () => {
    const codes = Object.values(ErrorCode).filter((code) => code !== ErrorCode.state);
    assert.equal(new Set(codes.map(exitCodeOf)).size, codes.length);
    for (const code of codes) assert.ok(exitCodeOf(code) > 0 && exitCodeOf(code) < 126);
  });

  it('are documented as they are', async () => {
    const document = new URL('../../../docs/exit-codes.md', import.meta.url);
    const normal = (text: string): string => text.replaceAll(/ +\|/g, ' |').replaceAll(/-+/g, '-');
    assert.equal(normal(await readFile(document, 'utf8')), normal(exitCodesDocument()));
  });
});
