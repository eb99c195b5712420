/** Where the image is kept. A stack of its own, as the image has to be there before the services. */
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import type { Construct } from 'constructs';

/** How many images are kept: enough to go back a while. */
const keptImages = 10;

/** Properties of {@link RepositoryStack}. */
export interface RepositoryStackProps extends StackProps {
  readonly repositoryName: string;
}

/** The ECR repository. */
export class RepositoryStack extends Stack {
  constructor(scope: Construct, id: string, props: RepositoryStackProps) {
    super(scope, id, props);
    const repository = new Repository(this, 'Repository', {
      repositoryName: props.repositoryName,
      // A tag always means the same image: what was deployed can be deployed again.
      imageTagMutability: TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      lifecycleRules: [{ maxImageCount: keptImages }],
      // Images can be built again, unlike recordings.
      removalPolicy: RemovalPolicy.DESTROY,
      emptyOnDelete: true,
    });
    new CfnOutput(this, 'RepositoryUri', { value: repository.repositoryUri });
  }
}
