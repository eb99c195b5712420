/** Who is told when a channel is not recorded. What the patterns match is tested against real logs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventFilters } from '../lib/recording-metrics.js';
import { resources, synthesize } from './support/synthesize.js';
import type { Resource } from './support/synthesize.js';

const channels = [
  { channel: 'front-door', stream: 'front-door', gapAlarmMs: 500 },
  { channel: 'workbench', stream: 'workbench', alwaysOn: false },
];

const { template } = synthesize({ channels, alarmEmail: 'operator@example.com' });
const alarms = new Map(
  resources(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => [
    String(Properties['AlarmName']),
    Properties,
  ]),
);

function alarm(name: string): Resource['Properties'] {
  const properties = alarms.get(name);
  assert.ok(properties !== undefined, name);
  return properties;
}

describe('alarms', () => {
  it('are these, for each channel', () => {
    const every = ['Degraded', 'Gap', 'LeftBehind', 'TaskDown'];
    assert.deepEqual(
      [...alarms.keys()].sort(),
      ['NotRecording', ...every]
        .map((kind) => `kvs-bridge-front-door-${kind}`)
        .concat(every.map((kind) => `kvs-bridge-workbench-${kind}`))
        .sort(),
    );
  });

  it('count what the log of their own channel says', () => {
    const filters = resources(template, 'AWS::Logs::MetricFilter').map(
      ([, { Properties }]) => Properties,
    );
    assert.equal(filters.length, 2 * Object.keys(eventFilters).length);
    for (const { channel } of channels) {
      const own = filters.filter(({ MetricTransformations: made }) =>
        JSON.stringify(made).includes(`"KvsBridge/${channel}"`),
      );
      const [log] = resources(template, 'AWS::Logs::LogGroup').find(
        ([, { Properties }]) => Properties['LogGroupName'] === `/kvs-bridge/${channel}`,
      ) ?? [''];
      assert.deepEqual(
        own.map(({ FilterPattern, LogGroupName }) => [FilterPattern, LogGroupName]),
        Object.values(eventFilters).map(({ pattern }) => [pattern, { Ref: log }]),
      );
    }
  });

  it('a channel that always sends is not recorded when no fragment is stored, or nobody says so', () => {
    const { MetricName, Statistic, Period, EvaluationPeriods, Threshold, ...more } = alarm(
      'kvs-bridge-front-door-NotRecording',
    );
    assert.deepEqual(
      { MetricName, Statistic, Period, EvaluationPeriods, Threshold },
      {
        MetricName: 'PersistLagMs',
        Statistic: 'SampleCount',
        Period: 60,
        EvaluationPeriods: 3,
        Threshold: 1,
      },
    );
    assert.equal(more['ComparisonOperator'], 'LessThanThreshold');
    assert.equal(more['TreatMissingData'], 'breaching');
    assert.equal(more['Namespace'], 'KvsBridge/front-door');
  });

  it('a gap counts above what is tolerated', () => {
    const gap = alarm('kvs-bridge-front-door-Gap');
    assert.deepEqual(
      [gap['MetricName'], gap['Statistic'], gap['Threshold']],
      ['GapMs', 'Sum', 500],
    );
    assert.equal(gap['ComparisonOperator'], 'GreaterThanThreshold');
    assert.equal(alarm('kvs-bridge-workbench-Gap')['Threshold'], 0);
  });

  it('a task that is not there reports nothing, and that counts', () => {
    const down = alarm('kvs-bridge-workbench-TaskDown');
    assert.equal(down['Namespace'], 'AWS/ECS');
    assert.equal(down['TreatMissingData'], 'breaching');
    assert.match(JSON.stringify(down['Dimensions']), /ServiceName.*workbenchService/);
  });

  it('reach the address, at their begin and at their end', () => {
    const [topic] = resources(template, 'AWS::SNS::Topic')[0] ?? [];
    for (const [name, { AlarmActions, OKActions }] of alarms) {
      assert.deepEqual([AlarmActions, OKActions], [[{ Ref: topic }], [{ Ref: topic }]], name);
    }
    const [, subscription] = resources(template, 'AWS::SNS::Subscription')[0] ?? [];
    assert.equal(subscription?.Properties['Endpoint'], 'operator@example.com');
  });

  it('go nowhere when nobody is named, and are there all the same', () => {
    const quiet = synthesize().template;
    quiet.resourceCountIs('AWS::SNS::Topic', 0);
    quiet.resourceCountIs('AWS::CloudWatch::Alarm', 5);
  });
});
