/** cdk-nag has nothing to say that has not been answered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Validations } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { synthesize } from './support/synthesize.js';

function findings(app: App): readonly string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.map(({ ruleName, violatingResources }) => {
    const where = violatingResources.map(({ constructPath }) => String(constructPath));
    return `${ruleName} at ${where.join(', ')}`;
  });
}

/** Every rule of cdk-nag that is acknowledged, with where and why. */
function acknowledged(
  scope: IConstruct,
): readonly { rule: string; path: string; reason: string }[] {
  return scope.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([id, reason]) => ({ rule: id.replace(/^Annotation::/i, ''), path: node.path, reason }))
      .filter(({ rule }) => rule.startsWith('AwsSolutions-')),
  );
}

describe('cdk-nag', () => {
  it('finds nothing, whatever is turned on or off', () => {
    for (const config of [
      {},
      { alarmEmail: 'operator@example.com', encryptLogs: true, containerInsights: true },
      { image: { uri: 'public.ecr.aws/example/kvs-bridge:1' } },
      {
        vpc: {
          id: 'vpc-0123456789abcdef0',
          availabilityZones: ['eu-west-1a'],
          subnetIds: ['subnet-0123456789abcdef0'],
        },
      },
    ]) {
      assert.deepEqual(findings(synthesize(config).app), [], JSON.stringify(config));
    }
  });

  it('accepts these exceptions and no others, each with a reason', () => {
    const { app } = synthesize({ alarmEmail: 'operator@example.com' });
    const exceptions = acknowledged(app);
    assert.deepEqual(exceptions.map(({ rule, path }) => `${rule} ${path}`).sort(), [
      'AwsSolutions-ECS2 KvsBridge/front-door/Task',
      'AwsSolutions-ECS4 KvsBridge/Cluster',
      'AwsSolutions-IAM5[Resource::*] KvsBridge/front-door/ExecutionRole',
      'AwsSolutions-SNS2 KvsBridge/AlarmTopic',
      'AwsSolutions-VPC7 KvsBridge/Network/Vpc',
    ]);
    for (const { rule, reason } of exceptions) assert.ok(reason.length > 60, `${rule}: ${reason}`);
  });

  it('would find what is wrong', () => {
    const { app, stack } = synthesize({ stackName: 'Open' });
    stack.services[0]?.service.connections.allowFrom(Peer.anyIpv4(), Port.tcp(22));
    assert.match(findings(app).join('\n'), /^AwsSolutions-EC23 at Open\/Network\/Outgoing/);
  });
});
