/** The metrics of the process that the Bridges run in, once in each registry. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { packageVersion } from '../../util/package-version.js';
import { ProcessMeter } from '../../util/process-meter.js';
import { processLag } from './histograms.js';
import { fullName } from './names.js';

const sampleIntervalMs = 1_000;

/** Metrics of the process without a histogram. */
export const processMetrics = {
  info: {
    name: 'build_info',
    type: 'gauge',
    labels: ['version'],
    help: '1, with the version of kvs-bridge',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    labels: ['mode'],
    help: 'CPU time of the bridge process',
  },
  memory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    labels: [],
    help: 'Resident memory of the bridge process',
  },
} as const;

/** Adds them to a registry; they measure while something is {@link ProcessMetrics.hold | held}. */
export class ProcessMetrics {
  readonly #lag: Histogram;
  #holders = 0;
  #meter: ProcessMeter | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry) {
    const { info, cpu, memory } = processMetrics;
    const registers = [registry];
    const build = new Gauge({ ...named(info), registers });
    build.set({ version: packageVersion() }, 1);
    new Counter({
      ...named(cpu),
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc({ mode: 'user' }, user / 1e6);
        this.inc({ mode: 'system' }, system / 1e6);
      },
    });
    new Gauge({
      ...named(memory),
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
    this.#lag = new Histogram({
      name: fullName(processLag.name),
      help: processLag.help,
      buckets: [...processLag.buckets],
      registers,
    });
  }

  /** Measures until it is released as often as it was held. */
  hold(): void {
    this.#holders += 1;
    if (this.#holders > 1) return;
    const meter = new ProcessMeter();
    this.#meter = meter;
    this.#timer = setInterval(() => {
      this.#lag.observe(meter.read().eventLoopLagMs / 1_000);
    }, sampleIntervalMs);
    this.#timer.unref();
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    clearInterval(this.#timer);
    this.#meter?.[Symbol.dispose]();
  }
}

function named<L extends string>({
  name,
  help,
  labels,
}: {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
}): { name: string; help: string; labelNames: readonly L[] } {
  return { name: fullName(name), help, labelNames: labels };
}
