/** What Terraform users get is what CDK users get. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { evaluate } from '../lib/expressions.js';
import { terraformDocuments } from '../lib/terraform-documents.js';
import { inInfra } from './support/paths.js';
// Turns the slow checks of synthesis off.
import './support/synthesize.js';

const folder = inInfra('terraform');
const documents = terraformDocuments();

describe('terraform documents', () => {
  it('are up to date: after a change, run "npm run terraform" in infra/', () => {
    const present = readdirSync(folder).filter((name) => name.endsWith('.json'));
    assert.deepEqual(present.sort(), [...documents.keys()].sort());
    for (const [name, text] of documents) {
      assert.equal(readFileSync(join(folder, name), 'utf8'), text, name);
    }
  });

  it('have the placeholders that the module fills in, and nothing of CloudFormation', () => {
    const module = readFileSync(join(folder, 'documents.tf'), 'utf8');
    const used = new Set<string>();
    for (const [name, text] of documents) {
      assert.doesNotMatch(text, /placeholder|AWS::|Fn::/, name);
      for (const [, placeholder = ''] of text.matchAll(/\$\{(\w+)\}/g)) used.add(placeholder);
    }
    const filledIn = [...module.matchAll(/^variable "(\w+)"/gm)].map(([, name = '']) => name);
    assert.deepEqual([...used].sort(), filledIn.sort());
  });

  it('are for the ECS API: camelCase, but for the log driver and the variables', () => {
    const [container] = JSON.parse(documents.get('container-definitions.json') ?? '') as {
      readonly stopTimeout: number;
      readonly logConfiguration: { readonly options: object };
      readonly environment: readonly { readonly name: string }[];
    }[];
    assert.equal(container?.stopTimeout, 30);
    assert.ok(Object.hasOwn(container.logConfiguration.options, 'awslogs-group'));
    assert.equal(container.environment[0]?.name, 'KVS_BRIDGE_CHANNEL');
  });
});

describe('expressions', () => {
  it('are worked out as far as the values are known', () => {
    const known = { Log: 'log', 'Log.Arn': 'arn', 'AWS::Region': 'here' };
    const value = {
      a: { Ref: 'Log' },
      b: [{ 'Fn::GetAtt': ['Log', 'Arn'] }],
      c: { 'Fn::Join': ['-', ['x', { Ref: 'AWS::Region' }]] },
      d: { Ref: 'Log', other: 1 },
    };
    assert.deepEqual(evaluate(value, known), {
      a: 'log',
      b: ['arn'],
      c: 'x-here',
      d: { Ref: 'Log', other: 1 },
    });
    assert.throws(() => evaluate({ Ref: 'Nobody' }, known), /nothing is known of Nobody/);
    assert.throws(() => evaluate({ 'Fn::Sub': '' }, known), /Fn::Sub is not known here/);
  });
});
