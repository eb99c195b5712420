import { describe, it } from 'node:test';
import { suiteOptions, testsOf } from './suite.js';

describe('the sink kvssink', suiteOptions, () => {
  for (const { name, options, run } of testsOf('kvssink')) it(name, options, run);
});
