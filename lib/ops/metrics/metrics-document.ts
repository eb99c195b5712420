/** The document docs/metrics.md, made from the metrics themselves. */
import { bridgeMetrics } from './bridge-metrics-table.js';
import { mediaProcessLag, persistLag, processLag } from './histograms.js';
import type { HistogramSpec } from './histograms.js';
import { bridgeLabels, fullName } from './names.js';
import { processMetrics } from './process-metrics.js';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** Its text, before it is formatted. */
export function metricsDocument(): string {
  const ofBridges: readonly Row[] = [
    ...bridgeMetrics,
    ...[persistLag, mediaProcessLag].map(histogramRow),
  ];
  const ofProcess: readonly Row[] = [...Object.values(processMetrics), histogramRow(processLag)];
  return `# Metrics, health and traces

<!-- Made by \`npm run format\` from lib/ops/metrics; change it there. -->

\`kvs-bridge start --http-port 9464\` serves, over plain HTTP and without asking who is there:

| Path       | What it answers                                                                                                      |
| ---------- | -------------------------------------------------------------------------------------------------------------------- |
| \`/livez\`   | 200 while the process answers at all                                                                                 |
| \`/readyz\`  | 200 in the state \`recording\`, which is a PERSISTED within \`--persist-timeout\`; else 503. The body has state and reason |
| \`/metrics\` | What Prometheus scrapes                                                                                              |

It listens on 127.0.0.1; \`--http-host 0.0.0.0\` lets other machines in, as a container needs when
something outside of it scrapes. \`KVS_BRIDGE_HTTP_PORT\`, \`KVS_BRIDGE_HTTP_HOST\`, \`httpPort\` and
\`httpHost\` set the same. A port that is taken ends the command with code 50. A library user has
\`createMetrics(bridge, { registry })\` and \`createHealthServer({ bridges, registry, port })\`; any number
of bridges may share a registry.

[grafana-dashboard.json](grafana-dashboard.json) is a dashboard to import into Grafana;
[alerts.yml](alerts.yml) has alert rules for Prometheus, each with what to do.

## Metrics of a bridge

Each has the labels ${bridgeLabels.map((label) => `\`${label}\``).join(' and ')} besides those listed. Counters begin at 0 with the bridge. What a media
process measured in its last second is missing when it is killed.

${tableOf(ofBridges)}

## Metrics of the bridge process

Once in a registry, however many bridges run in the process.

${tableOf(ofProcess)}

## Traces

The library makes spans through \`@opentelemetry/api\`; without a provider that costs nothing. The command
exports them when \`OTEL_EXPORTER_OTLP_ENDPOINT\` or \`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\` is set, by
OTLP over HTTP. \`OTEL_SERVICE_NAME\` (by default \`kvs-bridge\`), \`OTEL_RESOURCE_ATTRIBUTES\`,
\`OTEL_EXPORTER_OTLP_HEADERS\` and the other variables of the OpenTelemetry SDK count too. What is left at the
end is sent within \`--drain-timeout\`.

| Span                   | From                                     | To                                  |
| ---------------------- | ---------------------------------------- | ----------------------------------- |
| \`kvs-bridge start\`     | the start                                | the first PERSISTED                 |
| \`kvs-bridge reconnect\` | the end of a session, with its cause     | the first PERSISTED of the next one |
| \`resources\`            | their parent's begin                     | channel and stream are found        |
| \`signaling\`            | the step before                          | signaling is connected              |
| \`offer\`                | the step before                          | the offer is out                    |
| \`answer\`               | the step before: waits for the master    | its answer came                     |
| \`connected\`            | the step before                          | ICE and DTLS are done               |
| \`media\`                | the step before                          | the first track arrives             |
| \`uploading\`            | the step before                          | PutMedia is open                    |
| \`persisted\`            | the step before                          | the first PERSISTED                 |

A reconnect has the steps that its session made. Attributes: \`kvs_bridge.channel\`, \`kvs_bridge.stream\`,
\`cloud.region\`, and \`error.type\` with the code of the error that ended a session or the start.
`;
}

function histogramRow({ name, help, buckets }: HistogramSpec): Row {
  return {
    name,
    type: 'histogram',
    labels: [],
    help: `${help}. Buckets: ${buckets.join(', ')}`,
  };
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${fullName(name)}\` | ${type} | ${shown} | ${help} |`;
  });
  return ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
