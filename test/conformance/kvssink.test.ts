import { describeSink } from './suite.js';

describeSink('kvssink');
