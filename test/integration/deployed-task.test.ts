/**
 * The task that infra/ deploys, at work: started with the environment of its task definition, allowed
 * what its role is, and its log read as CloudWatch reads it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TestMaster } from '../../lib/index.js';
import { Cli } from '../support/cli.js';
import type { CliEnd } from '../support/cli.js';
import { deployedActions, deployedContainer, deployedMetrics } from '../support/deployment.js';
import { LocalStack } from '../support/local-stack.js';
import { metricValues } from '../support/metric-filter.js';

/** KVS refuses the fragment for good: FRAMES_MISSING_FOR_TRACK. */
const refusal = 4011;

describe('deployed task', () => {
  let stack: LocalStack;
  let master: TestMaster;
  let end: CliEnd;
  const called = new Set<string>();
  const denied: string[] = [];

  before(async () => {
    stack = await LocalStack.start();
    const { kvs, channel, stream, region, connection, folder } = stack;
    master = new TestMaster({ ...connection, width: 480, height: 64, audio: false });
    await master.start();
    const actions = [...(await deployedActions()).values()].flat();
    kvs.faults.allowOnly({ operations: actions });
    kvs.on('request', ({ operation, errorType }) => {
      if (errorType === 'AccessDeniedException') denied.push(operation);
      else called.add(operation);
    });

    const { command, environment } = await deployedContainer({ channel, stream, region });
    using bridge = new Cli([...command, '--json'], {
      ...Object.fromEntries(environment.map(({ name, value }) => [name, value])),
      // What is another machine's: where KVS is, the folder, the port.
      KVS_BRIDGE_LOCAL: kvs.url,
      KVS_BRIDGE_SPOOL_DIR: join(folder, 'task'),
      TMPDIR: folder,
      KVS_BRIDGE_HTTP_PORT: '0',
      // So that all of it happens in seconds.
      KVS_BRIDGE_FRAGMENT_SECONDS: '1',
      KVS_BRIDGE_PERSIST_TIMEOUT: '1',
      KVS_BRIDGE_DRAIN_TIMEOUT: '1',
      KVS_BRIDGE_SINK: 'putmedia',
    });
    await bridge.until('persisted');
    const silence = kvs.faults.delayPersisted({ delayMs: Infinity });
    const stored = once(kvs, 'fragment', { signal: AbortSignal.timeout(20_000) });
    await bridge.until('state', ({ state }) => state === 'degraded');
    await stored;
    // What may be stored is asked for with ListFragments before it is sent again.
    assert.equal(kvs.faults.cutPutMedia(), 1);
    silence.remove();
    await bridge.until('state', ({ previous }) => previous === 'degraded');
    kvs.faults.failAck({ errorId: refusal });
    await bridge.until('gap');
    kvs.faults.stallPutMedia();
    bridge.child.kill('SIGTERM');
    end = await bridge.end();
  });
  after(async () => {
    await master.stop();
    await stack[Symbol.asyncDispose]();
  });

  it('does with its role what it has to, and has no action that it does not use', async () => {
    assert.deepEqual(denied, []);
    const allowed = [...(await deployedActions()).values()].flat();
    assert.deepEqual([...called].sort(), allowed.sort());
  });

  it('writes what each metric is made of', async () => {
    const lines = `${end.stdout}${end.stderr}`.split('\n');
    const events = (name: string): typeof end.events =>
      end.events.filter(({ event }) => event === name);
    const expected: Readonly<Record<string, readonly unknown[]>> = {
      PersistLagMs: events('persisted').map(({ lagMs }) => lagMs),
      GapMs: events('gap').map(({ fromMs, toMs }) => Number(toMs) - Number(fromMs)),
      Degraded: events('state').flatMap(({ state }) => (state === 'degraded' ? [1] : [])),
      FramesLeftBehind: events('stopped').map(({ framesPending }) => framesPending),
    };
    for (const metric of await deployedMetrics()) {
      const values = metricValues(metric, lines);
      assert.ok(values.length > 0, `${metric.name}: no line of the log fits ${metric.pattern}`);
      assert.deepEqual(values, expected[metric.name], metric.name);
    }
    assert.equal(end.exitCode, 0, end.stderr);
  });

  it('counts no gap that the camera caused, and nothing left behind of a task that stored all', async () => {
    const metrics = new Map((await deployedMetrics()).map((metric) => [metric.name, metric]));
    const count = (name: string, event: object): number => {
      const metric = metrics.get(name);
      assert.ok(metric !== undefined, name);
      return metricValues(metric, [JSON.stringify(event)]).length;
    };
    const [gap] = end.events.filter(({ event }) => event === 'gap');
    for (const [cause, counted] of [
      ['source-away', 0],
      ['source-silent', 0],
      ['restart', 1],
    ] as const) {
      assert.equal(count('GapMs', { ...gap, cause }), counted, cause);
    }
    const stopped = end.events.find(({ event }) => event === 'stopped');
    assert.equal(count('FramesLeftBehind', { ...stopped, framesPending: 0 }), 0);
    assert.equal(count('FramesLeftBehind', { ...stopped, framesPending: 1 }), 1);
  });
});
