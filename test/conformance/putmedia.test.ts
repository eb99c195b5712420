import { describeSink } from './suite.js';

describeSink('putmedia');
