/** What infra/ deploys, read off the documents that it generates for Terraform. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../infra/terraform/', import.meta.url));

/** The one container of a task. */
export interface DeployedContainer {
  readonly command: readonly string[];
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly healthCheck: { readonly command: readonly string[] };
  readonly linuxParameters: { readonly initProcessEnabled: boolean };
  readonly mountPoints: readonly { readonly containerPath: string }[];
  readonly stopTimeout: number;
  readonly user: string;
}

/** A metric that CloudWatch makes of the log. */
export interface DeployedMetric {
  readonly name: string;
  readonly pattern: string;
  readonly value: string;
}

interface Policy {
  readonly Statement: readonly {
    readonly Action: readonly string[];
    readonly Resource: string;
  }[];
}

/** @param values - by placeholder; those that are not given stay */
export async function deployedContainer(
  values: Readonly<Record<string, string>> = {},
): Promise<DeployedContainer> {
  const text = await readFile(`${folder}container-definitions.json`, 'utf8');
  const filledIn = text.replaceAll(
    /\$\{(\w+)\}/g,
    (placeholder, name: string) => values[name] ?? placeholder,
  );
  const [container] = JSON.parse(filledIn) as readonly DeployedContainer[];
  if (container === undefined) throw new Error('there is no container');
  return container;
}

/** The task role's actions, without `kinesisvideo:`, by the placeholder of what they are allowed on. */
export async function deployedActions(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { Statement } = JSON.parse(
    await readFile(`${folder}task-role-policy.json`, 'utf8'),
  ) as Policy;
  return new Map(
    Statement.map(({ Action, Resource }) => [
      Resource,
      Action.map((action) => action.replace(/^kinesisvideo:/, '')),
    ]),
  );
}

/** The metrics. */
export async function deployedMetrics(): Promise<readonly DeployedMetric[]> {
  return JSON.parse(
    await readFile(`${folder}metric-filters.json`, 'utf8'),
  ) as readonly DeployedMetric[];
}
