/** One line of the catalog of findings. */
import type { Severity } from '../report.js';

/** A finding before its gaps are filled in. What is wrong has a symptom and a fix. */
export type CatalogEntry =
  | { readonly severity: typeof Severity.ok | typeof Severity.skipped; readonly found: string }
  | {
      readonly severity: typeof Severity.error | typeof Severity.warning;
      /** What a user sees who has not asked doctor; for docs/troubleshooting.md. */
      readonly symptom: string;
      readonly found: string;
      readonly fix: string;
    };

/** Findings by their ids. */
export type CatalogPart = Readonly<Record<string, CatalogEntry>>;
