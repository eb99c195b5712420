/** How a bridge runs on Fargate: its container, how it is replaced, what it leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { onlyResource, resources, synthesize } from './support/synthesize.js';

interface Container {
  readonly Command: readonly string[];
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
  readonly HealthCheck: { readonly Command: readonly string[] };
  readonly Image: unknown;
  readonly LinuxParameters: unknown;
  readonly LogConfiguration: { readonly Options: Readonly<Record<string, unknown>> };
  readonly MountPoints: readonly { readonly ContainerPath: string; readonly ReadOnly: boolean }[];
  readonly ReadonlyRootFilesystem: boolean;
  readonly StopTimeout: number;
  readonly User: string;
}

function onlyContainer(template: Template): Container {
  const { ContainerDefinitions } = onlyResource(template, 'AWS::ECS::TaskDefinition') as {
    ContainerDefinitions?: readonly Container[];
  };
  const [container, ...more] = ContainerDefinitions ?? [];
  assert.ok(container !== undefined && more.length === 0);
  return container;
}

function environmentOf(template: Template): Readonly<Record<string, string>> {
  return Object.fromEntries(
    onlyContainer(template).Environment.map(({ Name, Value }) => [Name, Value]),
  );
}

const oneChannel = (channel: object): object => ({
  channels: [{ channel: 'front-door', stream: 'archive', ...channel }],
});

describe('container', () => {
  it('is told what to record, where to keep what waits, and where to be asked', () => {
    const { template } = synthesize();
    assert.deepEqual(onlyContainer(template).Command, ['start']);
    assert.deepEqual(environmentOf(template), {
      KVS_BRIDGE_CHANNEL: 'front-door',
      KVS_BRIDGE_STREAM: 'front-door-archive',
      KVS_BRIDGE_REGION: 'eu-west-1',
      KVS_BRIDGE_JSON: 'true',
      KVS_BRIDGE_HTTP_PORT: '9464',
      KVS_BRIDGE_DRAIN_TIMEOUT: '10',
      KVS_BRIDGE_MEDIA_MEMORY_MB: '768',
      KVS_BRIDGE_SPOOL_DIR: '/var/lib/kvs-bridge',
      KVS_BRIDGE_SPOOL_MB: '8000',
      TMPDIR: '/var/lib/kvs-bridge',
    });
  });

  it('has the options that its channel is given', () => {
    const { template } = synthesize(
      oneChannel({ environment: { KVS_BRIDGE_VIDEO_CODECS: 'h264', KVS_BRIDGE_JSON: 'false' } }),
    );
    const { KVS_BRIDGE_VIDEO_CODECS: codecs, KVS_BRIDGE_JSON: json } = environmentOf(template);
    assert.deepEqual([codecs, json], ['h264', 'false']);
  });

  it('has no more rights than its work needs', () => {
    const container = onlyContainer(synthesize().template);
    assert.equal(container.User, '10001');
    assert.equal(container.ReadonlyRootFilesystem, true);
    assert.deepEqual(container.LinuxParameters, {
      Capabilities: { Drop: ['ALL'] },
      InitProcessEnabled: false,
    });
    const { KVS_BRIDGE_SPOOL_DIR: spool, TMPDIR: temporary } = environmentOf(synthesize().template);
    const writable = container.MountPoints.filter(({ ReadOnly }) => !ReadOnly);
    assert.deepEqual(
      writable.map(({ ContainerPath }) => ContainerPath),
      [spool],
    );
    assert.equal(temporary, spool);
  });

  it('is asked whether it lives, not whether it records', () => {
    assert.deepEqual(onlyContainer(synthesize().template).HealthCheck.Command, [
      'CMD',
      'kvs-bridge-health',
      '/livez',
    ]);
  });

  it('is not held up by a log that cannot be delivered', () => {
    const { Options: options } = onlyContainer(synthesize().template).LogConfiguration;
    assert.equal(options['mode'], 'non-blocking');
  });

  it('runs the image that is named', () => {
    assert.match(
      JSON.stringify(onlyContainer(synthesize().template).Image),
      /\/kvs-bridge:1\.2\.3"/,
    );
    const uri = 'public.ecr.aws/example/kvs-bridge:1';
    assert.equal(onlyContainer(synthesize({ image: { uri } }).template).Image, uri);
  });
});

describe('task', () => {
  it('has the size and the processor that are asked for', () => {
    const { template } = synthesize({
      architecture: 'ARM64',
      ...oneChannel({ cpu: 256, memoryMiB: 512 }),
    });
    const task = onlyResource(template, 'AWS::ECS::TaskDefinition');
    assert.deepEqual([task['Cpu'], task['Memory']], ['256', '512']);
    assert.deepEqual(task['RuntimePlatform'], {
      CpuArchitecture: 'ARM64',
      OperatingSystemFamily: 'LINUX',
    });
    assert.equal(environmentOf(template)['KVS_BRIDGE_MEDIA_MEMORY_MB'], '256');
  });
});

describe('deployment', () => {
  it('lets the old task drain and end before the new one starts', () => {
    const { template } = synthesize();
    const service = onlyResource(template, 'AWS::ECS::Service');
    assert.equal(service['DesiredCount'], 1);
    assert.equal(service['AvailabilityZoneRebalancing'], 'DISABLED');
    const { MinimumHealthyPercent, MaximumPercent, DeploymentCircuitBreaker } = service[
      'DeploymentConfiguration'
    ] as Record<string, unknown>;
    assert.deepEqual([MinimumHealthyPercent, MaximumPercent], [0, 100]);
    assert.deepEqual(DeploymentCircuitBreaker, { Enable: true, Rollback: true });
  });

  it('gives a stop more time than the drain takes, and no more than Fargate allows', () => {
    for (const drainTimeoutS of [1, 10, 100]) {
      const { template } = synthesize(oneChannel({ drainTimeoutS }));
      const told = Number(environmentOf(template)['KVS_BRIDGE_DRAIN_TIMEOUT']);
      assert.equal(told, drainTimeoutS);
      const { StopTimeout: stop } = onlyContainer(template);
      assert.ok(stop >= told + 10 && stop <= 120, `${String(stop)} s for ${String(told)} s`);
    }
  });

  it('starts when the roles and the way out are there, and goes before they do', () => {
    const { template } = synthesize();
    const [, service] = resources(template, 'AWS::ECS::Service')[0] ?? [];
    const needs = service?.DependsOn?.join(' ') ?? '';
    for (const id of [/TaskRoleDefaultPolicy/, /ExecutionRoleDefaultPolicy/, /DefaultRoute/]) {
      assert.match(needs, id);
    }
  });

  it('runs one service for each channel of the list', () => {
    const names = ['one', 'two', 'three'];
    const { template } = synthesize({
      channels: names.map((name) => ({ channel: name, stream: `${name}-archive` })),
    });
    for (const type of ['AWS::ECS::Service', 'AWS::ECS::TaskDefinition', 'AWS::Logs::LogGroup']) {
      template.resourceCountIs(type, names.length);
    }
    const recorded = resources(template, 'AWS::ECS::TaskDefinition').map(([, { Properties }]) => {
      const [container] = Properties['ContainerDefinitions'] as readonly Container[];
      return container?.Environment.find(({ Name }) => Name === 'KVS_BRIDGE_CHANNEL')?.Value;
    });
    assert.deepEqual(recorded, names);
  });
});

describe('what is kept', () => {
  it('a stream has its retention, a channel takes one master', () => {
    const { template } = synthesize(oneChannel({ retentionHours: 72 }));
    const stream = onlyResource(template, 'AWS::KinesisVideo::Stream');
    assert.equal(stream['DataRetentionInHours'], 72);
    assert.equal(stream['Name'], 'archive');
    const channel = onlyResource(template, 'AWS::KinesisVideo::SignalingChannel');
    assert.deepEqual([channel['Name'], channel['Type']], ['front-door', 'SINGLE_MASTER']);
  });

  it('recordings outlive the stack, unless they are told not to', () => {
    for (const [removeData, policy] of [
      [false, 'Retain'],
      [true, 'Delete'],
    ] as const) {
      const { template } = synthesize({ removeData });
      for (const type of ['AWS::KinesisVideo::Stream', 'AWS::KinesisVideo::SignalingChannel']) {
        assert.equal(resources(template, type)[0]?.[1].DeletionPolicy, policy, type);
      }
    }
  });

  it('logs end, and are encrypted with a key of their own where that is asked for', () => {
    const { template } = synthesize({ logRetentionDays: 7, encryptLogs: true });
    const log = onlyResource(template, 'AWS::Logs::LogGroup');
    assert.equal(log['RetentionInDays'], 7);
    const [keyId] = resources(template, 'AWS::KMS::Key')[0] ?? [];
    assert.deepEqual(log['KmsKeyId'], { 'Fn::GetAtt': [keyId, 'Arn'] });
    assert.equal(onlyResource(template, 'AWS::KMS::Key')['EnableKeyRotation'], true);
    synthesize().template.resourceCountIs('AWS::KMS::Key', 0);
  });

  it('images have tags that stay what they are, are scanned, and do not pile up', () => {
    const { images } = synthesize();
    assert.ok(images !== undefined);
    const repository = onlyResource(images, 'AWS::ECR::Repository');
    assert.equal(repository['ImageTagMutability'], 'IMMUTABLE');
    assert.deepEqual(repository['ImageScanningConfiguration'], { ScanOnPush: true });
    assert.match(JSON.stringify(repository['LifecyclePolicy']), /imageCountMoreThan/);
  });

  it('tags are on everything that takes them', () => {
    const { template } = synthesize({ tags: { owner: 'building' } });
    for (const type of ['AWS::ECS::Service', 'AWS::KinesisVideo::Stream', 'AWS::Logs::LogGroup']) {
      const { Tags } = onlyResource(template, type);
      assert.match(JSON.stringify(Tags), /\{"Key":"owner","Value":"building"\}/, type);
    }
    const service = onlyResource(template, 'AWS::ECS::Service');
    assert.equal(service['PropagateTags'], 'SERVICE');
  });
});
