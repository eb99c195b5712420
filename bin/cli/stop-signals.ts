/** Turns signals into an AbortSignal: the first one stops in order, the second leaves at once. */
import { signalExitCodes } from './exit-codes.js';

/** What the abort signal's reason is. */
export class StopRequest extends Error {
  override readonly name = 'StopRequest';
}

/** Listens to the process's signals until disposed. */
export class StopSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #onFirst: (cause: string) => void;
  readonly #cleanUps: (() => void)[] = [];
  readonly #lastActions: (() => void)[] = [];

  /** @param onFirst - told when the first request to stop comes, with its cause */
  constructor(onFirst: (cause: string) => void) {
    this.#onFirst = onFirst;
    for (const [name, exitCode] of Object.entries(signalExitCodes)) {
      this.#listen(process, name, () => {
        if (this.#stop.signal.aborted) {
          for (const action of this.#lastActions) action();
          process.exit(exitCode);
        }
        this.#request(name);
      });
    }
    // Whoever started us over IPC is gone; whoever read our output is gone (`| head`).
    this.#listen(process, 'disconnect', () => {
      this.#request('the parent process ended');
    });
    // While we were still loading, no event could tell. Without IPC there is no such property.
    if ('connected' in process && !process.connected) this.#request('the parent process ended');
    this.#listen(process.stdout, 'error', () => {
      this.#request('nobody reads stdout');
    });
  }

  /** Aborts at the first request to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Has something done before it leaves at once; that must not wait. */
  beforeLeaving(action: () => void): void {
    this.#lastActions.push(action);
  }

  [Symbol.dispose](): void {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
  }

  #request(cause: string): void {
    if (this.#stop.signal.aborted) return;
    this.#onFirst(cause);
    this.#stop.abort(new StopRequest(cause));
  }

  #listen(emitter: NodeJS.EventEmitter, event: string, listener: () => void): void {
    emitter.on(event, listener);
    this.#cleanUps.push(() => emitter.off(event, listener));
  }
}
