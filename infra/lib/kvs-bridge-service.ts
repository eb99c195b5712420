/** One channel, recorded: its Fargate service, what it may do, and who is told when it does not. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { ISecurityGroup, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  FargateService,
  FargateTaskDefinition,
  OperatingSystemFamily,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import type { ContainerImage, CpuArchitecture, ICluster } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ChannelConfig } from './config.js';
import { addBridgeContainer } from './container.js';
import { acknowledgeTaskFindings } from './findings.js';
import { bridgeStatements } from './permissions.js';
import { RecordingAlarms } from './recording-alarms.js';
import { RecordingMetrics } from './recording-metrics.js';
import { signalingChannel, videoStream } from './recording-resources.js';
import type { KvsResource } from './recording-resources.js';

/** Properties of {@link KvsBridgeService}. */
export interface KvsBridgeServiceProps {
  readonly config: ChannelConfig;
  readonly cluster: ICluster;
  readonly image: ContainerImage;
  readonly architecture: CpuArchitecture;
  readonly subnets: SubnetSelection;
  /** The task has a public address: in subnets without a NAT gateway it needs one. */
  readonly assignPublicIp: boolean;
  /** Lets everything out and nothing in; WebRTC opens its own way through it. */
  readonly securityGroup: ISecurityGroup;
  readonly logRetention: RetentionDays;
  /** @defaultValue CloudWatch's own encryption */
  readonly logKey?: IKey;
  /** Of the channel and the stream that are made. */
  readonly removalPolicy: RemovalPolicy;
  readonly alarmActions: readonly IAlarmAction[];
}

/** A service of exactly one task that records one channel into one stream. */
export class KvsBridgeService extends Construct {
  readonly channel: KvsResource;
  readonly stream: KvsResource;
  readonly logGroup: LogGroup;
  readonly taskDefinition: FargateTaskDefinition;
  readonly service: FargateService;
  readonly metrics: RecordingMetrics;

  constructor(scope: Construct, id: string, props: KvsBridgeServiceProps) {
    super(scope, id);
    const { config, removalPolicy } = props;
    this.channel = signalingChannel(this, config.channel, removalPolicy);
    this.stream = videoStream(this, config.stream, config.retentionHours, removalPolicy);
    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/kvs-bridge/${this.channel.name}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(props.logKey === undefined ? {} : { encryptionKey: props.logKey }),
    });
    this.taskDefinition = this.#defineTask(props);
    this.service = this.#runTask(props);
    this.metrics = new RecordingMetrics(this, 'Metrics', {
      logGroup: this.logGroup,
      namespace: `KvsBridge/${this.channel.name}`,
    });
    new RecordingAlarms(this, 'Alarms', {
      channel: this.channel.name,
      metrics: this.metrics,
      service: this.service,
      alwaysOn: config.alwaysOn,
      gapAlarmMs: config.gapAlarmMs,
      actions: props.alarmActions,
    });
  }

  #defineTask({ config, image, architecture }: KvsBridgeServiceProps): FargateTaskDefinition {
    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: config.cpu,
      memoryLimitMiB: config.memoryMiB,
      runtimePlatform: {
        cpuArchitecture: architecture,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      taskRole: this.#role(
        'TaskRole',
        'What a bridge may do: view one channel, store in one stream',
      ),
      executionRole: this.#role('ExecutionRole', 'What ECS may do: pull the image, write the log'),
    });
    for (const statement of bridgeStatements(this.channel.arn, this.stream.arn)) {
      task.addToTaskRolePolicy(statement);
    }
    const { region } = Stack.of(this);
    addBridgeContainer(task, { image, logGroup: this.logGroup, region, config });
    acknowledgeTaskFindings(task);
    return task;
  }

  /** For tasks of this account only: no other account's ECS can be made to use it. */
  #role(id: string, description: string): Role {
    return new Role(this, id, {
      description,
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
  }

  #runTask({
    cluster,
    subnets,
    assignPublicIp,
    securityGroup,
  }: KvsBridgeServiceProps): FargateService {
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: this.taskDefinition,
      vpcSubnets: subnets,
      assignPublicIp,
      securityGroups: [securityGroup],
      desiredCount: 1,
      // The old task drains and ends before the new one starts. Two at once would join the channel
      // with one client id, of which KVS keeps the newer, and write into one stream, which takes
      // fragments in order only.
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      circuitBreaker: { rollback: true },
      enableECSManagedTags: true,
      propagateTags: PropagatedTagSource.SERVICE,
    });
    // A task can pull its image as soon as it starts, and drain as long as it runs.
    service.node.addDependency(cluster.vpc.selectSubnets(subnets).internetConnectivityEstablished);
    if (this.taskDefinition.executionRole !== undefined) {
      service.node.addDependency(this.taskDefinition.executionRole);
    }
    return service;
  }
}
