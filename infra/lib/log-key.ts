/** A key for the logs. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** A key, rotated each year, that CloudWatch Logs may use for the logs of bridges only. */
export function logKey(scope: Construct): Key {
  const { partition, region, account } = Stack.of(scope);
  const key = new Key(scope, 'LogKey', {
    description: 'Logs of kvs-bridge',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogsOfBridges',
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: [
        'kms:Encrypt*',
        'kms:Decrypt*',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:Describe*',
      ],
      // A key's own policy is about that key.
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:/kvs-bridge/*`,
        },
      },
    }),
  );
  return key;
}
