/** Every finding that doctor can make. docs/troubleshooting.md is made from it. */
import type { DoctorFinding, DoctorTopic, Severity } from '../report.js';
import { fillIn } from '../template.js';
import type { GapValues } from '../template.js';
import { awsCatalog } from './aws.js';
import type { CatalogEntry } from './entry.js';
import { machineCatalog } from './machine.js';
import { resourceCatalog } from './resources.js';
import { softwareCatalog } from './software.js';

/** By id; an id begins with its topic. */
export const catalog = {
  ...softwareCatalog,
  ...awsCatalog,
  ...resourceCatalog,
  ...machineCatalog,
} as const;

/** The id of a finding in the catalog. */
export type FindingId = keyof typeof catalog;

type TemplatesOf<K extends FindingId> = (typeof catalog)[K] extends infer Entry
  ? | (Entry extends { readonly found: infer T } ? T : never)
    | (Entry extends { readonly fix: infer T } ? T : never)
  : never;

/** A finding of the catalog, with its gaps filled in. */
export function finding<K extends FindingId>(
  id: K,
  values: GapValues<TemplatesOf<K>>,
): DoctorFinding {
  const entry: CatalogEntry = catalog[id];
  return {
    id,
    topic: topicOf(id),
    severity: entry.severity,
    found: fillIn(entry.found, values),
    ...('fix' in entry ? { fix: fillIn(entry.fix, values) } : {}),
  };
}

/** What could not be looked at, and why; `<topic>.skipped`. */
export function skipped(topic: DoctorTopic, reason: string): DoctorFinding {
  return {
    id: `${topic}.skipped`,
    topic,
    severity: 'skipped' satisfies Severity,
    found: `Not checked: ${reason}`,
  };
}

/** What took too long; `<topic>.timed-out`. */
export function timedOut(topic: DoctorTopic, seconds: number): DoctorFinding {
  return {
    id: `${topic}.timed-out`,
    topic,
    severity: 'error' satisfies Severity,
    found: `This check was not done after ${seconds} s`,
    fix: 'Try again; if it stays so, look at the network and the load of this machine',
  };
}

/** The topic of an id. */
function topicOf(id: FindingId): DoctorTopic {
  const [topic] = id.split('.');
  return topic as DoctorTopic;
}
