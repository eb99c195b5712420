/** The cases that every sink must pass, as tests. */
import type { TestContext } from 'node:test';
import { missingSink } from '../support/sinks.js';
import type { SinkName } from '../support/sinks.js';
import { credentialsCases } from './credentials-cases.js';
import { epochCases } from './epoch-cases.js';
import { faultCases } from './fault-cases.js';
import { mediaCases } from './media-cases.js';
import type { SinkCase } from './sink-case.js';

const cases: readonly SinkCase[] = [
  ...mediaCases,
  ...epochCases,
  ...faultCases,
  ...credentialsCases,
];

/** A case as a test for one sink. */
export interface SinkTest {
  readonly name: string;
  readonly options: { readonly skip: string | false; readonly timeout: number };
  readonly run: (test: TestContext) => Promise<void>;
}

/** How a sink's tests run: each case has its own server, master and media process. */
export const suiteOptions = { concurrency: 2 };

/** Of one case, in ms. */
const timeoutMs = 60_000;

/**
 * The suite for a sink, or what of it is skipped and why. The caller declares the tests, since the
 * test runner reports each under the file that declares it.
 */
export function testsOf(sink: SinkName): readonly SinkTest[] {
  const skip = missingSink(sink) ?? false;
  return cases.map(({ name, differences, run }) => ({
    name,
    options: { skip, timeout: timeoutMs },
    run: async (test) => {
      const difference = differences[sink];
      if (difference !== undefined) test.diagnostic(`${sink} differs, ${name}: ${difference}`);
      await run(sink);
    },
  }));
}
