/** Prometheus metrics of Bridges, in a registry of their own or in the user's. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { BridgeState } from '../../bridge/events.js';
import type { KvsBridge } from '../../bridge/kvs-bridge.js';
import { StateError } from '../../util/errors.js';
import { bridgeMetrics } from './bridge-metrics-table.js';
import type { MetricSpec } from './bridge-metrics-table.js';
import { BridgeView } from './bridge-view.js';
import { mediaProcessLag, persistLag } from './histograms.js';
import type { HistogramSpec } from './histograms.js';
import { bridgeLabels, fullName } from './names.js';
import { ProcessMetrics } from './process-metrics.js';

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** Where the metrics go, those of other Bridges beside them. @defaultValue a new one */
  readonly registry?: Registry;
}

/** The metrics of one Bridge. */
export interface BridgeMetrics extends Disposable {
  /** `await registry.metrics()` is what Prometheus reads; its type `registry.contentType`. */
  readonly registry: Registry;
  /** Takes the Bridge's metrics out of the registry. Repeats have no effect. */
  readonly close: () => void;
}

/** The metrics of one registry; which Bridges they are of changes. */
class MetricsOfRegistry {
  readonly #views = new Map<string, BridgeView>();
  readonly #process: ProcessMetrics;
  readonly #persistLag: Histogram;
  readonly #mediaProcessLag: Histogram;

  constructor(registry: Registry) {
    for (const spec of bridgeMetrics) this.#register(spec, registry);
    this.#persistLag = createHistogram(persistLag, registry);
    this.#mediaProcessLag = createHistogram(mediaProcessLag, registry);
    this.#process = new ProcessMetrics(registry);
  }

  /** @returns what takes it out again */
  add(bridge: KvsBridge): () => void {
    const { channel, stream } = bridge.settings;
    const labels = { channel, stream };
    const key = JSON.stringify(labels);
    const known = this.#views.get(key);
    if (known !== undefined && known.bridge.state !== BridgeState.stopped) {
      throw new StateError(
        `The registry has the metrics of a Bridge from ${channel} to ${stream} already`,
        { fix: 'Give each Bridge of the same channel and stream a registry of its own.' },
      );
    }
    this.#remove(key, known);
    const view = new BridgeView(bridge, {
      onPersisted: (lagMs) => {
        this.#persistLag.observe(labels, lagMs / 1_000);
      },
      onMediaProcessLag: (lagMs) => {
        this.#mediaProcessLag.observe(labels, lagMs / 1_000);
      },
    });
    this.#views.set(key, view);
    this.#process.hold();
    return () => {
      if (this.#views.get(key) === view) this.#remove(key, view);
    };
  }

  #remove(key: string, view: BridgeView | undefined): void {
    if (view === undefined) return;
    view[Symbol.dispose]();
    this.#views.delete(key);
    this.#process.release();
    const { channel, stream } = view.bridge.settings;
    for (const histogram of [this.#persistLag, this.#mediaProcessLag]) {
      histogram.remove({ channel, stream });
    }
  }

  #register({ name, help, labels, type, read }: MetricSpec, registry: Registry): void {
    const views = this.#views;
    const config = {
      name: fullName(name),
      help,
      labelNames: [...bridgeLabels, ...labels],
      registers: [registry],
    };
    const samples = function* (): Generator<readonly [Record<string, string>, number]> {
      for (const view of views.values()) {
        const { channel, stream } = view.bridge.settings;
        for (const [own, value] of read(view)) {
          const key = JSON.stringify([name, own]);
          const shown = type === 'counter' ? view.neverFalling(key, value) : value;
          yield [{ channel, stream, ...own }, shown];
        }
      }
    };
    if (type === 'gauge') {
      new Gauge({
        ...config,
        collect() {
          this.reset();
          for (const [own, value] of samples()) this.set(own, value);
        },
      });
      return;
    }
    new Counter({
      ...config,
      collect() {
        this.reset();
        for (const [own, value] of samples()) this.inc(own, value);
      },
    });
  }
}

const registries = new WeakMap<Registry, MetricsOfRegistry>();

/**
 * Keeps Prometheus metrics of a Bridge, until `close`. docs/metrics.md has each of them.
 *
 * @example
 * ```ts
 * const { registry } = createMetrics(bridge);
 * app.get('/metrics', async (_, response) => response.end(await registry.metrics()));
 * ```
 * @param bridge - any number of Bridges may share a registry: channel and stream are labels
 * @throws {@link StateError} when the registry has a Bridge of the same channel and stream that runs
 */
export function createMetrics(
  bridge: KvsBridge,
  { registry = new Registry() }: MetricsOptions = {},
): BridgeMetrics {
  let metrics = registries.get(registry);
  // Whoever cleared the registry threw ours away too.
  if (metrics === undefined || registry.getSingleMetric(fullName('state')) === undefined) {
    metrics = new MetricsOfRegistry(registry);
    registries.set(registry, metrics);
  }
  const remove = metrics.add(bridge);
  return { registry, close: remove, [Symbol.dispose]: remove };
}

function createHistogram({ name, help, buckets }: HistogramSpec, registry: Registry): Histogram {
  return new Histogram({
    name: fullName(name),
    help,
    buckets: [...buckets],
    labelNames: [...bridgeLabels],
    registers: [registry],
  });
}
