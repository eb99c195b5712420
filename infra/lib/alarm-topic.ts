/** Where alarms go. */
import { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { acknowledgeUnencryptedTopic } from './findings.js';

/** A topic that sends alarms to one address, which has to confirm that it wants them. */
export function alarmTopic(scope: Construct, address: string): SnsAction {
  const topic = new Topic(scope, 'AlarmTopic', {
    displayName: 'kvs-bridge alarms',
    enforceSSL: true,
  });
  topic.addSubscription(new EmailSubscription(address));
  // The policy that enforces TLS takes the place of the one that let this account's alarms in.
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  acknowledgeUnencryptedTopic(topic);
  return new SnsAction(topic);
}
