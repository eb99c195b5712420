/** Metrics and health of Bridges that do not run, and the documents about them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { KvsBridge, createHealthServer, createMetrics } from '../../lib/index.js';
import { metricsDocument } from '../../lib/ops/metrics/metrics-document.js';
import { Scrape } from '../support/prometheus.js';

function bridgeTo(stream: string): KvsBridge {
  const credentials = { accessKeyId: 'nobody', secretAccessKey: 'never-shown' };
  return new KvsBridge({ channel: 'front-door', stream, region: 'us-east-1', credentials });
}

async function scrape(registry: Registry): Promise<Scrape> {
  return new Scrape(await registry.metrics());
}

async function readDocument(name: string): Promise<string> {
  return readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
}

/** The names that queries use: a histogram has three series. */
function namesIn(text: string): ReadonlySet<string> {
  const names = text.match(/\bkvs_bridge_[a-z_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_seconds_(?:bucket|sum|count)$/, '_seconds')));
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe('metrics', () => {
  it('of several Bridges share a registry, each with its labels, until they are closed', async () => {
    const registry = new Registry();
    const [front, back] = [bridgeTo('front'), bridgeTo('back')];
    createMetrics(front, { registry });
    const { close } = createMetrics(back, { registry });
    const both = await scrape(registry);
    for (const stream of ['front', 'back']) {
      const labels = { channel: 'front-door', stream };
      assert.equal(both.sum('kvs_bridge_state', { ...labels, state: 'idle' }), 1);
      assert.equal(both.sum('kvs_bridge_state', labels), 1);
      assert.equal(both.sum('kvs_bridge_ready', labels), 0);
      // A counter's first step is seen only when it was 0 before.
      assert.equal(both.sum('kvs_bridge_gaps_total', { ...labels, cause: 'refused' }), 0);
    }
    assert.equal(both.sum('kvs_bridge_build_info'), 1);
    assert.throws(() => createMetrics(back, { registry }), { code: 'KVSB_STATE' });
    close();
    close();
    const one = await scrape(registry);
    assert.equal(one.sum('kvs_bridge_state', { stream: 'back' }), undefined);
    assert.equal(one.sum('kvs_bridge_state', { stream: 'front' }), 1);
    // The next one may take the place of one that is done.
    await front.stop();
    createMetrics(bridgeTo('front'), { registry });
    assert.equal((await scrape(registry)).sum('kvs_bridge_state', { state: 'idle' }), 1);
  });

  it('have names, help and labels as Prometheus wants them, and never a secret', async () => {
    const { registry } = createMetrics(bridgeTo('front'));
    const text = await registry.metrics();
    assert.ok(!text.includes('never-shown'));
    for (const { name, help, type } of await registry.getMetricsAsJSON()) {
      assert.match(name, /^kvs_bridge_[a-z]+(?:_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), String(type) === 'counter', name);
      assert.ok(help.length > 10 && !help.endsWith('.'), name);
    }
  });

  it('are documented as they are', async () => {
    const { registry } = createMetrics(bridgeTo('front'));
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    const normal = (text: string): string =>
      text.replaceAll(/ +\|/g, ' |').replaceAll(/-+/g, '-').replaceAll(/\s+/g, ' ');
    const document = await readDocument('metrics.md');
    assert.equal(normal(document), normal(metricsDocument()));
    for (const name of names) assert.ok(document.includes(`\`${name}\``), name);
  });

  it('are what the dashboard and the alert rules ask for', async () => {
    const { registry } = createMetrics(bridgeTo('front'));
    const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    const dashboard = JSON.parse(await readDocument('grafana-dashboard.json')) as {
      readonly panels: readonly Panel[];
    };
    const charts = dashboard.panels.filter(({ type }) => type !== 'row');
    assert.ok(charts.length > 20);
    const shown = new Set<string>();
    for (const { title, description = '', targets = [] } of charts) {
      assert.ok(description !== '' && targets.length > 0, title);
      for (const { expr } of targets) {
        const names = namesIn(expr);
        assert.ok(names.size > 0, `${title}: ${expr}`);
        for (const name of names) {
          assert.ok(known.has(name), `${title}: ${name}`);
          shown.add(name);
        }
      }
    }
    // What it leaves out says the same as something that it shows.
    const left = [...known].filter((name) => !shown.has(name));
    assert.deepEqual(left.sort(), ['kvs_bridge_last_persisted_timestamp_seconds']);

    const rules = (await readDocument('alerts.yml')).split(/\n {6}- alert: /).slice(1);
    assert.ok(rules.length >= 10);
    for (const rule of rules) {
      const [name = ''] = rule.split('\n');
      const used = namesIn(/expr:([^]*?)\n {8}(?:for|labels):/.exec(rule)?.[1] ?? '');
      assert.ok(used.size > 0, name);
      for (const metric of used) assert.ok(known.has(metric), `${name}: ${metric}`);
      for (const key of ['severity', 'summary', 'description', 'action']) {
        assert.match(rule, new RegExp(`\\n +${key}: .{4,}`), `${name}: ${key}`);
      }
    }
  });
});

describe('the health server', () => {
  it('answers what it serves, and nothing else', async () => {
    const bridge = bridgeTo('front');
    const { registry } = createMetrics(bridge);
    await using server = await createHealthServer({ bridges: [bridge], registry, port: 0 });
    const ask = async (path: string, method = 'GET'): Promise<readonly [number, string]> => {
      const response = await fetch(`${server.url}${path}`, { method });
      return [response.status, await response.text()];
    };
    assert.equal((await ask('/livez'))[0], 200);
    const [status, body] = await ask('/readyz?verbose');
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(body), {
      ready: false,
      bridges: [{ ready: false, channel: 'front-door', stream: 'front', state: 'idle' }],
    });
    assert.match((await ask('/metrics'))[1], /^# HELP kvs_bridge_state /);
    assert.deepEqual(await ask('/metrics', 'HEAD'), [200, '']);
    assert.equal((await ask('/'))[0], 404);
    assert.equal((await ask('/livez', 'POST'))[0], 405);
    await server.close();
    await assert.rejects(fetch(`${server.url}/livez`));
  });

  it('is as ready as the least of its Bridges, and has no metrics without a registry', async () => {
    await using server = await createHealthServer({ bridges: [], port: 0 });
    assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${server.url}/metrics`)).status, 404);
  });

  it('names the port that is taken, and the option that is wrong', async () => {
    await using server = await createHealthServer({ bridges: [], port: 0 });
    const { port } = server;
    await assert.rejects(createHealthServer({ bridges: [], port }), {
      code: 'KVSB_PORT_UNAVAILABLE',
      message: new RegExp(`Port ${port} on 127.0.0.1.* is taken`),
    });
    await assert.rejects(createHealthServer({ bridges: [], port: 65_536 }), {
      code: 'KVSB_OPTIONS',
      option: 'port',
    });
  });
});
