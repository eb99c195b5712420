/** Metrics made of the events that `kvs-bridge start --json` writes to the log. */
import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** What is counted of which log lines. */
export interface EventFilter {
  /** Of the metric. */
  readonly name: string;
  /** CloudWatch's filter pattern for JSON log events. */
  readonly pattern: string;
  /** A number, or the field that holds it. */
  readonly value: string;
}

/** Every metric of a bridge. The log has no channel in its lines, so each has a log of its own. */
export const eventFilters = {
  /** One sample per fragment that KVS keeps: how far it ends behind live, in ms. */
  persistLag: {
    name: 'PersistLagMs',
    pattern: '{ $.event = "persisted" }',
    value: '$.lagMs',
  },
  /**
   * Length of what is missing in ms, where the source is not to blame: a camera that is switched off
   * leaves a gap too.
   */
  gap: {
    name: 'GapMs',
    pattern: '{ ($.event = "gap") && ($.cause != "source-away") && ($.cause != "source-silent") }',
    value: '$.gapMs',
  },
  /** Media comes or should, and KVS confirms none of it. */
  degraded: {
    name: 'Degraded',
    pattern: '{ ($.event = "state") && ($.state = "degraded") }',
    value: '1',
  },
  /** Frames that a task received and did not see persisted before it ended. */
  leftBehind: {
    name: 'FramesLeftBehind',
    pattern: '{ ($.event = "stopped") && ($.framesPending > 0) }',
    value: '$.framesPending',
  },
} as const satisfies Readonly<Record<string, EventFilter>>;

/** Properties of {@link RecordingMetrics}. */
export interface RecordingMetricsProps {
  /** The bridge's own. */
  readonly logGroup: ILogGroup;
  /** Where CloudWatch puts the metrics. */
  readonly namespace: string;
}

/** Name of one of {@link eventFilters}. */
export type EventMetric = keyof typeof eventFilters;

/** Counts a bridge's events. */
export class RecordingMetrics extends Construct {
  readonly #namespace: string;

  constructor(scope: Construct, id: string, { logGroup, namespace }: RecordingMetricsProps) {
    super(scope, id);
    this.#namespace = namespace;
    for (const { name, pattern, value } of Object.values(eventFilters)) {
      new MetricFilter(this, name, {
        logGroup,
        filterPattern: FilterPattern.literal(pattern),
        metricNamespace: namespace,
        metricName: name,
        metricValue: value,
      });
    }
  }

  /** @param statistic - such as `Sum` or `SampleCount` */
  metric(event: EventMetric, statistic: string, period: Duration): Metric {
    return new Metric({
      namespace: this.#namespace,
      metricName: eventFilters[event].name,
      statistic,
      period,
    });
  }
}
