/** Everything that records: network, cluster, one service per channel. */
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Cluster, ContainerImage, ContainerInsights, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { alarmTopic } from './alarm-topic.js';
import type { DeploymentConfig } from './config.js';
import { nameOf } from './config.js';
import { acknowledgeNoContainerInsights } from './findings.js';
import { KvsBridgeService } from './kvs-bridge-service.js';
import { logKey } from './log-key.js';
import { Network } from './network.js';

const architectures = { X86_64: CpuArchitecture.X86_64, ARM64: CpuArchitecture.ARM64 } as const;

/** Properties of {@link KvsBridgeStack}. */
export interface KvsBridgeStackProps extends StackProps {
  readonly config: DeploymentConfig;
}

/** Records every channel of a {@link DeploymentConfig}. */
export class KvsBridgeStack extends Stack {
  readonly services: readonly KvsBridgeService[];

  constructor(scope: Construct, id: string, { config, ...props }: KvsBridgeStackProps) {
    super(scope, id, props);
    const network = new Network(this, 'Network', config.vpc);
    const cluster = this.#cluster(network, config.containerInsights);
    const key = config.encryptLogs ? { logKey: logKey(this) } : {};
    const alarmActions =
      config.alarmEmail === undefined ? [] : [alarmTopic(this, config.alarmEmail)];
    const image = this.#image(config.image);
    this.services = config.channels.map(
      (channel) =>
        new KvsBridgeService(this, nameOf(channel.channel), {
          config: channel,
          cluster,
          image,
          architecture: architectures[config.architecture],
          subnets: network.subnets,
          assignPublicIp: network.assignPublicIp,
          securityGroup: network.securityGroup,
          logRetention: config.logRetentionDays,
          removalPolicy: config.removeData ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
          alarmActions,
          ...key,
        }),
    );
    new CfnOutput(this, 'ClusterName', { value: cluster.clusterName });
    for (const bridge of this.services) {
      new CfnOutput(bridge, 'ServiceName', { value: bridge.service.serviceName });
    }
  }

  #cluster({ vpc }: Network, containerInsights: boolean): Cluster {
    const cluster = new Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: containerInsights
        ? ContainerInsights.ENABLED
        : ContainerInsights.DISABLED,
    });
    if (!containerInsights) acknowledgeNoContainerInsights(cluster);
    return cluster;
  }

  #image(image: DeploymentConfig['image']): ContainerImage {
    if ('uri' in image) return ContainerImage.fromRegistry(image.uri);
    const repository = Repository.fromRepositoryName(this, 'Images', image.repository);
    return ContainerImage.fromEcrRepository(repository, image.tag);
  }
}
