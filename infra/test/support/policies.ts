/** IAM policies as a template has them. */
import type { Template } from 'aws-cdk-lib/assertions';
import { resources } from './synthesize.js';

/** A statement, with its actions and resources as lists. */
export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  /** ARNs, or CloudFormation's expressions of them. */
  readonly resources: readonly unknown[];
}

interface Policy {
  readonly Roles: readonly { readonly Ref: string }[];
  readonly PolicyDocument: {
    readonly Statement: readonly {
      readonly Effect: string;
      readonly Action: string | readonly string[];
      readonly Resource: unknown;
    }[];
  };
}

/** Every statement of the role whose logical id fits. */
export function statementsOf(template: Template, role: RegExp): readonly Statement[] {
  return resources(template, 'AWS::IAM::Policy')
    .map(([, { Properties }]) => Properties as unknown as Policy)
    .filter(({ Roles }) => Roles.some(({ Ref }) => role.test(Ref)))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .map(({ Effect, Action, Resource }) => ({
      effect: Effect,
      actions: asList(Action) as readonly string[],
      resources: asList(Resource),
    }));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [value];
}
