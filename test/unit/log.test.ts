/** Levels by component, and what reaches a logger that somebody else made. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  LogLevel,
  OptionsError,
  createLogger,
  gstThresholdsOf,
  parseLogLevels,
} from '../../lib/index.js';
import type { Logger } from '../../lib/index.js';
import { LogComponent, componentLogs, isLogger } from '../../lib/util/log.js';

type Line = Readonly<Record<string, unknown>>;

function collect(spec: string): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const logger = createLogger({
    ...parseLogLevels(spec),
    write: (line) => lines.push(JSON.parse(line) as Line),
  });
  return { logger, lines };
}

describe('log levels', () => {
  it('are a level for all, and others by component', () => {
    assert.deepEqual(parseLogLevels('warn'), { level: 'warn' });
    assert.deepEqual(parseLogLevels(' info, signaling = debug,gstreamer=silent'), {
      level: 'info',
      components: { signaling: 'debug', gstreamer: 'silent' },
    });
    assert.deepEqual(parseLogLevels('media=trace'), {
      level: 'info',
      components: { media: 'trace' },
    });
  });

  it('are refused with what can be written', () => {
    for (const text of ['', 'loud', 'info,warn', 'media', 'media=loud', 'disk=info', 'a=b=c']) {
      assert.throws(() => parseLogLevels(text), OptionsError, text);
    }
    assert.throws(
      () => parseLogLevels('media=info,media=warn'),
      (error: OptionsError) =>
        error.message.includes('media=warn') && (error.fix ?? '').includes('putmedia'),
    );
  });

  it('decide what each component logs', () => {
    const { logger, lines } = collect('warn,signaling=trace,media=silent');
    const logs = componentLogs(logger);
    for (const component of Object.values(LogComponent)) {
      logs[component].trace({}, 'trace');
      logs[component].warn({}, 'warn');
    }
    const of = (component: string): unknown[] =>
      lines.filter((line) => line['component'] === component).map((line) => line['msg']);
    assert.deepEqual(of('signaling'), ['trace', 'warn']);
    assert.deepEqual(of('media'), []);
    assert.deepEqual(of('bridge'), ['warn']);
  });

  it('decide what is asked of GStreamer: its errors, unless it is named', () => {
    const thresholds = (spec: string): string => gstThresholdsOf(parseLogLevels(spec));
    assert.equal(thresholds('trace'), '1');
    assert.equal(thresholds('silent'), '0');
    assert.equal(thresholds('silent,gstreamer=debug'), '4');
    assert.equal(thresholds('info,gstreamer=warn'), '2');
  });
});

describe("a service's logger", () => {
  it('gets no secrets, and cannot throw into a recording', () => {
    const calls: unknown[] = [];
    const child = {
      trace: () => {
        throw new Error('the disk is full');
      },
      debug: () => undefined,
      info: (fields: object, message: string) => calls.push([fields, message]),
      warn: () => undefined,
      error: () => undefined,
      child: (bindings: object): Logger => {
        calls.push(bindings);
        return child;
      },
    };
    const logs = componentLogs(child);
    logs.aws.trace({}, 'thrown away');
    logs.aws.info({ url: 'wss://h/?X-Amz-Signature=abc123' }, 'turn:user:pass-word@host');
    assert.deepEqual(calls.slice(0, 1), [{ component: 'bridge' }]);
    assert.deepEqual(calls.at(-1), [
      { url: 'wss://h/?X-Amz-Signature=[redacted]' },
      'turn:[redacted]@host',
    ]);
  });

  it("has pino's methods", () => {
    assert.ok(isLogger(collect(LogLevel.info).logger));
    assert.ok(!isLogger(console));
    assert.ok(!isLogger(undefined));
  });
});
