/** The Bridge: records one master of a signaling channel into one stream, session after session. */
import { credentialsOf } from '../aws/credentials.js';
import { ledgerPath } from '../ledger/read-ledger.js';
import { deferred } from '../util/deferred.js';
import { StateError, asKvsBridgeError } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';
import { componentLogs } from '../util/log.js';
import { BridgeLedger } from './bridge-ledger.js';
import type { BridgeParts } from './bridge-parts.js';
import { BridgeTrace } from './bridge-trace.js';
import { EventHub } from './event-hub.js';
import { describeEvent } from './event-texts.js';
import { BridgeState } from './events.js';
import type { BridgeEnd, BridgeTotals, StateChange } from './events.js';
import { FragmentTags } from './fragment-tags.js';
import { HeardFragments } from './heard-fragments.js';
import { Hooks } from './hooks.js';
import { resolveOptions } from './options.js';
import type { BridgeSettings, KvsBridgeOptions } from './options.js';
import { RecordingMonitor } from './recording-monitor.js';
import { SessionSupervisor } from './session-supervisor.js';
import { StateMachine } from './state-machine.js';
import { StatsSums } from './stats.js';
import type { BridgeStats } from './stats.js';
import { StepLog } from './step-log.js';
import { SessionTotals } from './totals.js';

/**
 * Records the master of a KVS signaling channel into a KVS stream.
 *
 * @example
 * ```ts
 * await using bridge = new KvsBridge({ channel: 'front-door', stream: 'front-door-archive' });
 * bridge.on('persisted', ({ fragmentNumber, lagMs }) => log(fragmentNumber, lagMs));
 * await bridge.start();
 * await once(process, 'SIGTERM');
 * ```
 */
export class KvsBridge extends EventHub implements AsyncDisposable {
  readonly #parts: BridgeParts;
  readonly #supervisor: SessionSupervisor;
  readonly #running = deferred<undefined>();
  readonly #finished = deferred<BridgeEnd>();
  #isStopRequested = false;

  /** @throws {@link OptionsError} that names the option, what was expected and the fix */
  constructor(options: KvsBridgeOptions) {
    super();
    const resolved = resolveOptions(options);
    const logs = componentLogs(options.logger);
    this.subscribe((event) => {
      const { component, level, fields, message } = describeEvent(event);
      logs[component][level]({ event: event.name, ...fields }, message);
    });
    const ledger = new BridgeLedger(ledgerPath(resolved.spoolDir, resolved.stream), {
      onGap: (gap) => this.emit('gap', gap),
      onWarning: (error) => this.emit('warning', error),
    });
    const trace = new BridgeTrace(resolved);
    const machine = new StateMachine((change) => {
      ledger.onState(change.state);
      trace.onState(change);
      this.emit('state', change);
    });
    const monitor = new RecordingMonitor(resolved.persistTimeoutMs, {
      onRecording: () => {
        machine.enter(BridgeState.recording);
      },
      onSilence: (reason) => {
        machine.enter(BridgeState.degraded, reason);
      },
    });
    this.#parts = {
      options: resolved,
      credentials: credentialsOf(options.credentials, { region: resolved.region }),
      events: this,
      heard: new HeardFragments(),
      hooks: new Hooks(options.hooks ?? {}, (error) => this.emit('warning', error)),
      ledger,
      logs,
      machine,
      monitor,
      stats: new StatsSums(),
      steps: new StepLog({
        onFirst: (step) => this.emit('step', step),
        onMade: (step) => {
          trace.onStep(step);
        },
      }),
      tags: new FragmentTags(resolved.tags),
      totals: new SessionTotals(),
    };
    this.#supervisor = new SessionSupervisor(this.#parts, () => {
      this.#running.resolve(undefined);
    });
    // `finished` is for those who ask; nobody has to.
    this.#finished.promise.catch(() => undefined);
    this.#running.promise.catch(() => undefined);
  }

  /** The present state. Only `recording` means that media is being kept. */
  get state(): BridgeState {
    return this.#parts.machine.state;
  }

  /** The last changes of the state, at most 120, oldest first. */
  get history(): readonly StateChange[] {
    return this.#parts.machine.history;
  }

  /** Id of the present media process; undefined without one, or with `isolation: 'none'`. */
  get mediaProcessId(): number | undefined {
    return this.#supervisor.media?.pid;
  }

  /** Totals so far, over all sessions. */
  get totals(): BridgeTotals {
    return this.#parts.totals.read();
  }

  /** What was measured so far, over all sessions. */
  get stats(): BridgeStats {
    return this.#parts.stats.read();
  }

  /** What it was made with that others may know, defaults filled in. */
  get settings(): BridgeSettings {
    const { channel, stream, region, persistTimeoutMs, ...rest } = this.#parts.options;
    const { bufferMb, mediaMemoryMb, spoolMb } = rest;
    return { channel, stream, region, persistTimeoutMs, bufferMb, mediaMemoryMb, spoolMb };
  }

  /**
   * Looks everything up, connects and offers; resolves when the first offer is out. Recording
   * begins when a master answers: see the `state` and `persisted` events.
   *
   * @param options - `signal` stops the Bridge, now or later, as {@link stop} does
   * @throws {@link KvsBridgeError} when it cannot start; `code` says why
   * @throws {@link StateError} when it was started before
   */
  async start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { machine, steps } = this.#parts;
    if (machine.state !== BridgeState.idle) {
      throw new StateError('A Bridge starts once', { fix: 'Make a new KvsBridge.' });
    }
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    steps.begin();
    machine.enter(BridgeState.starting);
    void this.#run();
    await this.#running.promise;
  }

  /** Resolves with the totals when the Bridge is done. @throws the error that ended it, if one did */
  async finished(): Promise<BridgeEnd> {
    const end = await this.#finished.promise;
    if (end.error !== undefined) throw end.error;
    return end;
  }

  /**
   * Drains within `drainTimeoutMs` and ends. Repeats share one end; it never rejects: what could
   * not be persisted is in the totals as pending.
   */
  stop(): Promise<BridgeEnd> {
    if (!this.#isStopRequested) {
      this.#isStopRequested = true;
      this.#parts.totals.beginStop();
      const { machine } = this.#parts;
      if (machine.state === BridgeState.idle) this.#finish();
      else if (machine.state !== BridgeState.stopped) machine.enter(BridgeState.stopping);
      this.#supervisor.stop();
    }
    return this.#finished.promise;
  }

  /**
   * Keeps a name and value with the next fragment, for readers of the stream (GetMedia,
   * GetMediaForFragmentList). While no media arrives, it waits for the first fragment that comes.
   *
   * KVS takes ten tags a fragment. The bridge's own (`kvsb-session`, `kvsb-epoch`, `kvsb-gap-ms`,
   * `kvsb-codec`) leave room for six persistent ones. Of those put once, what is one too many for
   * its fragment is refused by a `warning`.
   *
   * @param name - 1 to 128 bytes, beginning with neither `AWS` nor `kvsb-`
   * @param value - 1 to 256 bytes
   * @param options - `persistent`: repeated with every fragment from the next on, in later sessions
   * too, until it is put again with an empty value. `@defaultValue` false
   * @throws {@link OptionsError} that names the tag, what is wrong with it and the fix
   */
  putFragmentMetadata(
    name: string,
    value: string,
    { persistent = false }: { readonly persistent?: boolean } = {},
  ): void {
    const tag = { name, value };
    this.#parts.tags.put(tag, persistent);
    this.#supervisor.media?.putMetadata(tag, { persistent });
  }

  /**
   * Ends at once, for a program that has to go: kills the media processes. What they had received is
   * in the spool, for the next start.
   */
  abandon(): void {
    void this.stop();
    this.#supervisor.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    let error: KvsBridgeError | undefined;
    const { ledger } = this.#parts;
    await ledger.open();
    try {
      await this.#supervisor.run();
    } catch (reason) {
      error = asKvsBridgeError(reason);
    }
    await ledger.close();
    this.#finish(error);
  }

  #finish(error?: KvsBridgeError): void {
    const { machine, monitor, totals } = this.#parts;
    monitor.pause();
    const end: BridgeEnd = {
      totals: totals.read(),
      videoFramesUnsaved: totals.unsaved,
      ...(error === undefined ? {} : { error }),
    };
    if (error === undefined) this.#running.resolve(undefined);
    else this.#running.reject(error);
    machine.enter(BridgeState.stopped, error?.message, error?.code);
    this.emit('stopped', end);
    this.#finished.resolve(end);
  }
}
