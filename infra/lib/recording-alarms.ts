/** Tells a person when a channel is not recorded as it should be. */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmProps, IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { RecordingMetrics } from './recording-metrics.js';

/** Properties of {@link RecordingAlarms}. */
export interface RecordingAlarmsProps {
  readonly channel: string;
  readonly metrics: RecordingMetrics;
  readonly service: FargateService;
  /** The camera should always send: without a stored fragment for 3 min there is an alarm. */
  readonly alwaysOn: boolean;
  /** How many ms may be missing in 5 min, not counting what the source did not send. */
  readonly gapAlarmMs: number;
  /** What happens at an alarm and at its end. */
  readonly actions: readonly IAlarmAction[];
}

/** The alarms of one channel. */
export class RecordingAlarms extends Construct {
  readonly #props: RecordingAlarmsProps;

  constructor(scope: Construct, id: string, props: RecordingAlarmsProps) {
    super(scope, id);
    this.#props = props;
    const { channel, metrics, service, alwaysOn, gapAlarmMs } = props;
    const minute = Duration.minutes(1);
    const fiveMinutes = Duration.minutes(5);
    if (alwaysOn) {
      this.#add('NotRecording', {
        alarmDescription: `Nothing of ${channel} was stored for 3 minutes: camera, bridge, or KVS.`,
        metric: metrics.metric('persistLag', 'SampleCount', minute),
        threshold: 1,
        evaluationPeriods: 3,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.BREACHING,
      });
    }
    this.#add('Degraded', {
      alarmDescription: `The bridge of ${channel} became degraded; its log says why.`,
      metric: metrics.metric('degraded', 'Sum', fiveMinutes),
      threshold: 0,
    });
    this.#add('Gap', {
      alarmDescription: `The recording of ${channel} has a gap that its camera did not cause.`,
      metric: metrics.metric('gap', 'Sum', fiveMinutes),
      threshold: gapAlarmMs,
    });
    this.#add('LeftBehind', {
      alarmDescription: `A task of ${channel} ended before all it had received was stored.`,
      metric: metrics.metric('leftBehind', 'Sum', fiveMinutes),
      threshold: 0,
    });
    this.#add('TaskDown', {
      alarmDescription: `No task records ${channel}; ECS says why in the service's events.`,
      // ECS measures each task that runs once a minute, at no charge.
      metric: service.metricCpuUtilization({ statistic: 'SampleCount', period: minute }),
      threshold: 1,
      evaluationPeriods: 5,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  #add(
    id: string,
    props: Pick<AlarmProps, 'alarmDescription' | 'metric' | 'threshold'> & Partial<AlarmProps>,
  ): void {
    const { channel, actions } = this.#props;
    const alarm = new Alarm(this, id, {
      alarmName: `kvs-bridge-${channel}-${id}`,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
    });
    alarm.addAlarmAction(...actions);
    alarm.addOkAction(...actions);
  }
}
