/** Every scenario, in the order of docs/faults.md. */
import { kills } from './kills.js';
import { enforcedLimits, limits } from './limits.js';
import { outage } from './outage.js';
import { reconnects } from './reconnects.js';
import type { Scenario } from './scenario.js';

export const scenarios: readonly Scenario[] = [limits, enforcedLimits, outage, kills, reconnects];
