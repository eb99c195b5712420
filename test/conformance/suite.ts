/** Runs every case against one sink. */
import { describe, it } from 'node:test';
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

/** Cases that run at a time: each has its own server, master and media process. */
const concurrency = 3;

/** Of one case, in ms. */
const timeoutMs = 60_000;

/** Declares the suite for a sink, or what of it is skipped and why. */
export function describeSink(sink: SinkName): void {
  const missing = missingSink(sink);
  describe(`the sink ${sink}`, { concurrency }, () => {
    for (const { name, differences, run } of cases) {
      const difference = differences[sink];
      it(name, { skip: missing ?? false, timeout: timeoutMs }, async (test) => {
        if (difference !== undefined) test.diagnostic(`${sink} differs, ${name}: ${difference}`);
        await run(sink);
      });
    }
  });
}
