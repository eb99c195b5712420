/** What the parts of one Bridge share. */
import type { EventEmitter } from 'node:events';
import type { CredentialsSource } from '../aws/credentials.js';
import type { Logs } from '../util/log.js';
import type { BridgeLedger } from './bridge-ledger.js';
import type { KvsBridgeEvents } from './events.js';
import type { Hooks } from './hooks.js';
import type { FragmentTags } from './fragment-tags.js';
import type { HeardFragments } from './heard-fragments.js';
import type { ResolvedOptions } from './options.js';
import type { RecordingMonitor } from './recording-monitor.js';
import type { StateMachine } from './state-machine.js';
import type { StatsSums } from './stats.js';
import type { StepLog } from './step-log.js';
import type { SessionTotals } from './totals.js';

/** One of each; the Bridge makes them and shows them to its user. */
export interface BridgeParts {
  readonly options: ResolvedOptions;
  readonly credentials: CredentialsSource;
  /** Where everything is told: the Bridge itself. */
  readonly events: EventEmitter<KvsBridgeEvents>;
  readonly heard: HeardFragments;
  readonly hooks: Hooks;
  readonly ledger: BridgeLedger;
  readonly logs: Logs;
  readonly machine: StateMachine;
  readonly monitor: RecordingMonitor;
  readonly stats: StatsSums;
  readonly steps: StepLog;
  readonly tags: FragmentTags;
  readonly totals: SessionTotals;
}
