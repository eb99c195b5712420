/** Synthesizes a deployment, so that its templates can be looked at. */
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { buildApp } from '../../lib/build-app.js';
import { parseConfig } from '../../lib/config.js';
import type { KvsBridgeStack } from '../../lib/kvs-bridge-stack.js';

// Checking templates against CloudFormation's schemas takes seconds; synthesis.test.ts does it once.
process.env['CDK_VALIDATION'] = 'false';

/** A deployment of the least that a config must say. */
export const smallest = {
  region: 'eu-west-1',
  image: { tag: '1.2.3' },
  channels: [{ channel: 'front-door', stream: 'front-door-archive' }],
} as const;

/** A synthesized deployment. */
export interface Synthesized {
  readonly app: App;
  readonly stack: KvsBridgeStack;
  /** Of what records. */
  readonly template: Template;
  /** Of the repository, where there is one. */
  readonly images: Template | undefined;
}

const known = new Map<string, Synthesized>();

/**
 * The same for the same config.
 *
 * @param changes - what the config says besides {@link smallest}, or in its place
 */
export function synthesize(changes: object = {}): Synthesized {
  const key = JSON.stringify(changes);
  const made = known.get(key) ?? make(changes);
  known.set(key, made);
  return made;
}

function make(changes: object): Synthesized {
  const app = new App({ analyticsReporting: false, treeMetadata: false });
  const { bridges, images } = buildApp(app, parseConfig({ ...smallest, ...changes }));
  return {
    app,
    stack: bridges,
    template: Template.fromStack(bridges),
    images: images === undefined ? undefined : Template.fromStack(images),
  };
}

/** A resource of a template. */
export interface Resource {
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

/** Every resource of a type, with its logical id. */
export function resources(
  template: Template,
  type: string,
): readonly (readonly [string, Resource])[] {
  return Object.entries(template.findResources(type) as Record<string, Resource>);
}

/** Properties of the only resource of a type. */
export function onlyResource(template: Template, type: string): Resource['Properties'] {
  const [first, ...more] = resources(template, type);
  if (first === undefined || more.length > 0) {
    throw new Error(`${String(more.length + (first === undefined ? 0 : 1))} of ${type}, not one`);
  }
  return first[1].Properties;
}
