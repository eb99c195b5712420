/** Nobody may do more than they need, on anything but their own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onlyResource, resources, synthesize } from './support/synthesize.js';
import { statementsOf } from './support/policies.js';

const arn = (kind: string): string =>
  `arn:aws:kinesisvideo:eu-west-1:123456789012:${kind}/old/1700000000000`;

/** The README's table. */
const onChannel = [
  'kinesisvideo:ConnectAsViewer',
  'kinesisvideo:DescribeMediaStorageConfiguration',
  'kinesisvideo:DescribeSignalingChannel',
  'kinesisvideo:GetIceServerConfig',
  'kinesisvideo:GetSignalingChannelEndpoint',
];
const onStream = [
  'kinesisvideo:DescribeStream',
  'kinesisvideo:GetDataEndpoint',
  'kinesisvideo:ListFragments',
  'kinesisvideo:PutMedia',
];

const sorted = (actions: readonly string[]): readonly string[] => [...actions].sort();

describe('task role', () => {
  it('may do what the table says on the channel and the stream that are made', () => {
    const { template } = synthesize();
    const [channelId] = resources(template, 'AWS::KinesisVideo::SignalingChannel')[0] ?? [];
    const [streamId] = resources(template, 'AWS::KinesisVideo::Stream')[0] ?? [];
    const statements = statementsOf(template, /TaskRole/);
    assert.deepEqual(
      statements.map(({ actions, resources: on }) => [sorted(actions), on]),
      [
        [onChannel, [{ 'Fn::GetAtt': [channelId, 'Arn'] }]],
        [onStream, [{ 'Fn::GetAtt': [streamId, 'Arn'] }]],
      ],
    );
    assert.ok(statements.every(({ effect }) => effect === 'Allow'));
  });

  it('may do the same on what exists, which is not made again', () => {
    const { template } = synthesize({
      channels: [{ channel: arn('channel'), stream: arn('stream') }],
    });
    assert.deepEqual(
      statementsOf(template, /TaskRole/).map(({ resources: on }) => on),
      [[arn('channel')], [arn('stream')]],
    );
    template.resourceCountIs('AWS::KinesisVideo::SignalingChannel', 0);
    template.resourceCountIs('AWS::KinesisVideo::Stream', 0);
  });

  it('is one per channel', () => {
    const { template } = synthesize({
      channels: [
        { channel: 'one', stream: 'one' },
        { channel: 'two', stream: 'two' },
      ],
    });
    const [first, second] = [/^oneTaskRole/, /^twoTaskRole/].map((role) =>
      JSON.stringify(statementsOf(template, role)),
    );
    assert.match(first ?? '', /oneChannel.*oneStream/);
    assert.doesNotMatch(first ?? '', /two/);
    assert.match(second ?? '', /twoChannel.*twoStream/);
    assert.doesNotMatch(second ?? '', /one/);
  });
});

describe('execution role', () => {
  it('may pull the one image and write the one log', () => {
    const { template } = synthesize();
    const [logId] = resources(template, 'AWS::Logs::LogGroup')[0] ?? [];
    const [pull, token, write, ...more] = statementsOf(template, /ExecutionRole/);
    assert.deepEqual(more, []);
    assert.deepEqual(sorted(pull?.actions ?? []), [
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetDownloadUrlForLayer',
    ]);
    assert.match(JSON.stringify(pull?.resources), /:repository\/kvs-bridge"/);
    assert.deepEqual(token, {
      effect: 'Allow',
      actions: ['ecr:GetAuthorizationToken'],
      resources: ['*'],
    });
    assert.deepEqual(write, {
      effect: 'Allow',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [{ 'Fn::GetAtt': [logId, 'Arn'] }],
    });
  });

  it('needs no ECR for an image from elsewhere', () => {
    const { template, images } = synthesize({
      image: { uri: 'public.ecr.aws/example/kvs-bridge:1' },
    });
    assert.equal(images, undefined);
    assert.doesNotMatch(JSON.stringify(statementsOf(template, /ExecutionRole/)), /ecr:/);
  });
});

describe('every role', () => {
  it('names its resources: the one "*" is that of the ECR token, which takes no other', () => {
    const { template } = synthesize({ encryptLogs: true, alarmEmail: 'operator@example.com' });
    const wide = statementsOf(template, /./).filter(
      ({ actions, resources: on }) =>
        JSON.stringify(on).includes('*') || actions.some((action) => action.includes('*')),
    );
    assert.deepEqual(
      wide.map(({ actions }) => actions),
      [['ecr:GetAuthorizationToken']],
    );
  });

  it('is for tasks of this account only', () => {
    const { template } = synthesize();
    const roles = resources(template, 'AWS::IAM::Role');
    assert.equal(roles.length, 2);
    for (const [, { Properties }] of roles) {
      assert.deepEqual(Properties['AssumeRolePolicyDocument'], {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'ecs-tasks.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      });
      assert.equal(Properties['ManagedPolicyArns'], undefined);
    }
  });

  it('the topic takes alarms of this account only, and only over TLS', () => {
    const { template } = synthesize({ alarmEmail: 'operator@example.com' });
    const policy = JSON.stringify(onlyResource(template, 'AWS::SNS::TopicPolicy'));
    assert.match(policy, /"Bool":\{"aws:SecureTransport":"false"\}\},"Effect":"Deny"/);
    assert.match(
      policy,
      /"StringEquals":\{"aws:SourceAccount":\{"Ref":"AWS::AccountId"\}\}\},"Effect":"Allow","Principal":\{"Service":"cloudwatch\.amazonaws\.com"\}/,
    );
  });
});
