/** How the image runs as a Fargate container. */
import { Duration, Size } from 'aws-cdk-lib';
import { AwsLogDriverMode, Capability, LinuxParameters, LogDrivers } from 'aws-cdk-lib/aws-ecs';
import type {
  ContainerDefinition,
  ContainerImage,
  FargateTaskDefinition,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ChannelConfig } from './config.js';
import { nameOf, stopMarginS } from './config.js';

/** Home of the image's user, the only folder that can be written to. */
const stateFolder = '/var/lib/kvs-bridge';

/** The image's user; the Dockerfile makes it. */
const user = '10001';

/** Where the bridge answers /livez, /readyz and /metrics. */
export const httpPort = 9_464;

/** What a task needs besides its media process: the bridge's own process, buffers, the log driver. */
const memoryBesidesMediaMiB = 256;

/**
 * The image's own program. It asks /livez and not /readyz, which the image's HEALTHCHECK asks and ECS
 * ignores: ECS kills what is unhealthy, and neither a camera that is switched off nor an outage of
 * KVS, while the spool fills, is a reason to. Readiness is an alarm.
 */
const healthCheckCommand: readonly string[] = ['CMD', 'kvs-bridge-health', '/livez'];

/** What a bridge's container is made of. */
export interface BridgeContainer {
  readonly image: ContainerImage;
  readonly logGroup: ILogGroup;
  readonly region: string;
  readonly config: ChannelConfig;
}

/** Adds the one container of a task. */
export function addBridgeContainer(
  task: FargateTaskDefinition,
  { image, logGroup, region, config }: BridgeContainer,
): ContainerDefinition {
  // Without an init process of ECS's: the image begins with tini.
  const linuxParameters = new LinuxParameters(task, 'Linux', { initProcessEnabled: false });
  linuxParameters.dropCapabilities(Capability.ALL);
  const container = task.addContainer('Bridge', {
    containerName: 'kvs-bridge',
    image,
    command: ['start'],
    environment: bridgeEnvironment(config, region),
    user,
    readonlyRootFilesystem: true,
    linuxParameters,
    stopTimeout: Duration.seconds(config.drainTimeoutS + stopMarginS),
    healthCheck: {
      command: [...healthCheckCommand],
      interval: Duration.seconds(30),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(60),
    },
    logging: LogDrivers.awsLogs({
      logGroup,
      streamPrefix: 'bridge',
      // A log that cannot be delivered must not hold up the recording.
      mode: AwsLogDriverMode.NON_BLOCKING,
      maxBufferSize: Size.mebibytes(10),
    }),
  });
  task.addVolume({ name: 'state' });
  container.addMountPoints({
    sourceVolume: 'state',
    containerPath: stateFolder,
    readOnly: false,
  });
  return container;
}

/** The command's options; what the channel's own `environment` says counts. */
function bridgeEnvironment(config: ChannelConfig, region: string): Record<string, string> {
  return {
    KVS_BRIDGE_CHANNEL: nameOf(config.channel),
    KVS_BRIDGE_STREAM: nameOf(config.stream),
    KVS_BRIDGE_REGION: region,
    KVS_BRIDGE_JSON: 'true',
    KVS_BRIDGE_HTTP_PORT: String(httpPort),
    KVS_BRIDGE_DRAIN_TIMEOUT: String(config.drainTimeoutS),
    KVS_BRIDGE_MEDIA_MEMORY_MB: String(config.memoryMiB - memoryBesidesMediaMiB),
    KVS_BRIDGE_SPOOL_DIR: stateFolder,
    KVS_BRIDGE_SPOOL_MB: String(config.spoolMb),
    // For kvssink's files; nothing else can be written to.
    TMPDIR: stateFolder,
    ...config.environment,
  };
}
