/**
 * What cdk-nag's AwsSolutions rules find and this deployment means to do, each with its reason. The
 * tests hold every other finding to be a fault.
 */
import { Validations } from 'aws-cdk-lib';
import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { IConstruct } from 'constructs';

/** The two findings of a task definition with an image from ECR. */
export function acknowledgeTaskFindings(task: FargateTaskDefinition): void {
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason:
      'The variables are options of the command, such as the names of channel and stream; none is secret. Credentials come from the task role.',
  });
  if (task.executionRole === undefined) return;
  Validations.of(task.executionRole).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'ecr:GetAuthorizationToken, which every pull from ECR needs, takes no resource; all other statements name theirs.',
  });
}

/** @param cluster - without Container Insights */
export function acknowledgeNoContainerInsights(cluster: IConstruct): void {
  Validations.of(cluster).acknowledge({
    id: 'AwsSolutions-ECS4',
    reason:
      'Container Insights is charged per metric; the alarms use what ECS measures for nothing and the events in the log. containerInsights in config.json turns it on.',
  });
}

/** @param vpc - without flow logs */
export function acknowledgeNoFlowLogs(vpc: IConstruct): void {
  Validations.of(vpc).acknowledge({
    id: 'AwsSolutions-VPC7',
    reason:
      'Nothing in it listens: its one security group lets nothing in. Flow logs of media would cost more than the task; add them to the construct where a policy asks for them.',
  });
}

/** @param topic - without a key of its own */
export function acknowledgeUnencryptedTopic(topic: IConstruct): void {
  Validations.of(topic).acknowledge({
    id: 'AwsSolutions-SNS2',
    reason:
      'The messages are the alarms of CloudWatch, with names and numbers and nothing secret, and are sent on by mail. CloudWatch cannot publish through the key that SNS manages.',
  });
}
