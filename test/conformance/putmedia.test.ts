import { describe, it } from 'node:test';
import { suiteOptions, testsOf } from './suite.js';

describe('the sink putmedia', suiteOptions, () => {
  for (const { name, options, run } of testsOf('putmedia')) it(name, options, run);
});
