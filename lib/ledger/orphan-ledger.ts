/** Goes on with a session's page of the ledger when the Bridge that kept it is gone. */
import { causeOfLoss } from './gap-causes.js';
import type { Interval } from './interval-set.js';
import { LedgerFile } from './ledger-file.js';

/** Which file, and which session of which run. */
export interface LedgerPage {
  readonly path: string;
  readonly run: string;
  readonly session: number;
}

interface Fragment extends Interval {
  /** Video frames. */
  readonly frames: number;
  readonly recovered?: true;
  /** Who received it, of what was recovered. */
  readonly owner?: { readonly run: string; readonly session: number };
}

/** Most fragments that the Bridge may have heard of and not written down: the ledger knows them again. */
const maxUnwritten = 16;

/**
 * Writes nothing while the Bridge lives: it writes then. A Bridge that is killed has perhaps not
 * written down what it was told last, so that is repeated; a ledger counts no fragment twice.
 */
export class OrphanLedger {
  readonly #page: LedgerPage;
  readonly #latest: Fragment[] = [];
  #received = 0;
  #newestMs = 0;
  #file: LedgerFile | undefined;

  constructor(page: LedgerPage) {
    this.#page = page;
  }

  /** The Bridge is gone. */
  adopt(): void {
    if (this.#file !== undefined) return;
    this.#file = new LedgerFile(this.#page.path);
    // Its disk is full or gone: nobody is left to be told.
    this.#file.on('warning', () => undefined);
    for (const fragment of this.#latest) this.#writeStored(fragment);
    this.#writeSeen();
  }

  onStored(fragment: Fragment): void {
    if (this.#file !== undefined) {
      this.#writeStored(fragment);
      return;
    }
    this.#latest.push(fragment);
    if (this.#latest.length > maxUnwritten) this.#latest.shift();
  }

  /** @param received - video frames so far */
  onReceived(received: number, newestMs: number): void {
    this.#received = received;
    this.#newestMs = newestMs;
    this.#writeSeen();
  }

  onLost(fragment: Fragment, reason: string): void {
    this.#file?.add({ type: 'lost', ...this.#ofPage(), ...fragment, cause: causeOfLoss(reason) });
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  #writeStored(fragment: Fragment): void {
    this.#file?.add({ type: 'stored', ...this.#ofPage(), ...fragment });
  }

  #writeSeen(): void {
    if (this.#newestMs === 0) return;
    const received = this.#received;
    this.#file?.add({ type: 'seen', ...this.#ofPage(), received, newestMs: this.#newestMs });
  }

  #ofPage(): { readonly of: string; readonly session: number } {
    return { of: this.#page.run, session: this.#page.session };
  }
}
