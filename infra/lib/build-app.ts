/** The app: a stack for the image, where it is ours, and one for what records. */
import { Tags, Validations } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { DeploymentConfig } from './config.js';
import { KvsBridgeStack } from './kvs-bridge-stack.js';
import { RepositoryStack } from './repository-stack.js';

/** The stacks of a deployment. */
export interface Deployment {
  readonly bridges: KvsBridgeStack;
  /** Undefined when the image comes from elsewhere. */
  readonly images?: RepositoryStack;
}

/** Fills the app; its synthesis fails on a finding of cdk-nag that nobody acknowledged. */
export function buildApp(app: App, config: DeploymentConfig): Deployment {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const { region, stackName, image } = config;
  // The account is that of whoever deploys.
  const env = { region };
  const images =
    'uri' in image
      ? {}
      : {
          images: new RepositoryStack(app, `${stackName}Images`, {
            env,
            repositoryName: image.repository,
            description: 'The image of kvs-bridge',
          }),
        };
  const bridges = new KvsBridgeStack(app, stackName, {
    env,
    config,
    description: 'kvs-bridge: WebRTC signaling channels recorded into Kinesis video streams',
  });
  for (const [key, value] of Object.entries(config.tags)) Tags.of(app).add(key, value);
  return { bridges, ...images };
}
