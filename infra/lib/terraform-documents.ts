/**
 * The documents of one bridge for other tools than CDK: policies, container definitions, metric
 * filters. They are read off the synthesized template, so that there is one truth, and have
 * Terraform's `templatefile` placeholders in place of what differs.
 */
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseConfig } from './config.js';
import { evaluate } from './expressions.js';
import { KvsBridgeStack } from './kvs-bridge-stack.js';
import { eventFilters } from './recording-metrics.js';

const region = 'xx-placeholder-1';
const arnOf = (kind: string, name: string): string =>
  `arn:aws:kinesisvideo:${region}:000000000000:${kind}/${name}/1111111111111`;

/** What stands in the template for each placeholder. What holds another one comes first. */
const standIns = {
  channel_arn: arnOf('channel', 'placeholder-channel'),
  stream_arn: arnOf('stream', 'placeholder-stream'),
  channel: 'placeholder-channel',
  stream: 'placeholder-stream',
  repository: 'placeholder-repository',
  tag: 'placeholder-tag',
  region,
} as const;

/** What CloudFormation looks up. */
const lookedUp = {
  'AWS::AccountId': '${account_id}',
  'AWS::Partition': '${partition}',
  'AWS::URLSuffix': '${dns_suffix}',
} as const;

/** File names and their texts. */
export function terraformDocuments(): ReadonlyMap<string, string> {
  const template = synthesize();
  const [logId] = find(template, 'AWS::Logs::LogGroup', /./);
  const known = {
    ...lookedUp,
    [logId]: '${log_group_name}',
    [`${logId}.Arn`]: '${log_group_arn}',
  };
  const property = (type: string, id: RegExp, name: string): unknown =>
    evaluate(find(template, type, id)[1][name], known);
  const documents = {
    'assume-role-policy.json': property('AWS::IAM::Role', /TaskRole/, 'AssumeRolePolicyDocument'),
    'task-role-policy.json': property('AWS::IAM::Policy', /TaskRole/, 'PolicyDocument'),
    'execution-role-policy.json': property('AWS::IAM::Policy', /ExecutionRole/, 'PolicyDocument'),
    'container-definitions.json': camelCased(
      property('AWS::ECS::TaskDefinition', /./, 'ContainerDefinitions'),
    ),
    'metric-filters.json': Object.values(eventFilters),
  };
  return new Map(
    Object.entries(documents).map(([name, document]) => [name, withPlaceholders(document)]),
  );
}

function synthesize(): Template {
  const config = parseConfig({
    region,
    image: { repository: standIns.repository, tag: standIns.tag },
    channels: [{ channel: standIns.channel_arn, stream: standIns.stream_arn }],
  });
  const app = new App({ analyticsReporting: false, treeMetadata: false });
  return Template.fromStack(new KvsBridgeStack(app, 'Documents', { config, env: { region } }));
}

/** The first resource of a type whose logical id fits, and its properties. */
function find(template: Template, type: string, id: RegExp): [string, Record<string, unknown>] {
  const all = template.findResources(type) as Record<
    string,
    { readonly Properties: Record<string, unknown> }
  >;
  const found = Object.entries(all).find(([logicalId]) => id.test(logicalId));
  if (found === undefined) throw new Error(`there is no ${type} like ${String(id)}`);
  return [found[0], found[1].Properties];
}

/** Keys as the ECS API writes them. What is in `options` belongs to the log driver. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [
      key.charAt(0).toLowerCase() + key.slice(1),
      key === 'Options' ? member : camelCased(member),
    ]),
  );
}

function withPlaceholders(document: unknown): string {
  let text = JSON.stringify(document, undefined, 2);
  for (const [name, standIn] of Object.entries(standIns)) {
    text = text.replaceAll(standIn, `\${${name}}`);
  }
  return `${text}\n`;
}
