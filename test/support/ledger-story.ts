/** Makes up what Bridges on one stream go through, and what a ledger has to say of it. */
import type { LedgerEntry, WrittenLine } from '../../lib/ledger/ledger-lines.js';
import { GapCause } from '../../lib/ledger/gap-causes.js';

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A video frame that a master sent and a Bridge received. */
export interface StoryFrame {
  readonly timeMs: number;
  fate: 'stored' | 'lost' | 'pending';
}

interface StoryFragment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly frames: StoryFrame[];
  readonly owner: { readonly run: string; readonly session: number };
}

const frameMs = 40;

/** Runs, sessions and fragments at random; `lines` is what Bridges would have written. */
export class LedgerStory {
  readonly lines: WrittenLine[] = [];
  readonly frames: StoryFrame[] = [];
  readonly #random: () => number;
  readonly #clockSteps: boolean;
  /** What the present session received. */
  readonly #ownFrames = new Set<StoryFrame>();
  #spool: StoryFragment[] = [];
  #nowMs = 1_700_000_000_000;
  #run = 0;
  #seq = 0;
  #session = 0;
  #received = 0;

  constructor(seed: number, { clockSteps = false }: { readonly clockSteps?: boolean } = {}) {
    this.#random = seededRandom(seed);
    this.#clockSteps = clockSteps;
    this.#begin();
  }

  /** When it stands, by the machine's clock. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** A session and what follows it. */
  next(): void {
    this.#playSession();
    const end = this.#pick(['restart', 'kill', 'ended', 'ended'] as const);
    if (end === 'kill') {
      this.#wait(1 + this.#below(20_000));
      this.#begin();
      return;
    }
    // What is left may still be stored while the session drains, or be left to the next one.
    if (this.#chance(0.5)) this.#upload();
    this.#write({
      type: 'ended',
      session: this.#session,
      received: this.#received,
      newestMs: this.frames.at(-1)?.timeMs ?? 0,
      cause: end === 'restart' ? GapCause.restart : GapCause.reconnect,
    });
    if (end === 'restart') {
      this.#write({ type: 'end' });
      this.#wait(this.#below(20_000));
      this.#begin();
    } else {
      this.#write({ type: 'obstacle', cause: GapCause.sourceAway });
      this.#wait(1 + this.#below(5_000));
    }
  }

  /** A session that loses nothing: everything before it is settled. */
  finish(): void {
    this.#beginSession();
    this.#playFragment('whole');
    this.#upload();
  }

  #playSession(): void {
    this.#beginSession();
    const fragments = 1 + this.#below(6);
    for (let index = 0; index < fragments; index += 1) {
      const kind = this.#pick(['whole', 'whole', 'hole', 'lost', 'kept'] as const);
      this.#playFragment(kind);
      if (kind !== 'kept') this.#upload();
    }
  }

  #playFragment(kind: 'whole' | 'hole' | 'lost' | 'kept'): void {
    const fromMs = this.#nowMs;
    const frames: StoryFrame[] = [];
    const count = 10 + this.#below(40);
    for (let index = 0; index < count; index += 1) {
      // Frames before the last: a fragment begins with one that is stored, and so does what follows.
      const isHole = kind === 'hole' && index >= 4 && index < 4 + (count % 6) && index < count - 1;
      frames.push({ timeMs: this.#nowMs, fate: isHole ? 'lost' : 'pending' });
      this.#nowMs += frameMs;
    }
    // The first epoch is told at once.
    if (this.#ownFrames.size === 0) this.#report(fromMs);
    this.frames.push(...frames);
    for (const frame of frames) this.#ownFrames.add(frame);
    this.#received += count;
    const missing = frames.filter(({ fate }) => fate === 'lost');
    const [first] = missing;
    if (first !== undefined) {
      const holeFromMs = first.timeMs;
      const toMs = holeFromMs + missing.length * frameMs;
      this.#write({
        type: 'hole',
        session: this.#session,
        fromMs: holeFromMs,
        toMs,
        frames: missing.length,
        cause: GapCause.networkLoss,
      });
    }
    if (this.#chance(0.7)) this.#report();
    const kept = frames.filter(({ fate }) => fate === 'pending');
    if (kind === 'lost') {
      for (const frame of kept) frame.fate = 'lost';
      this.#write({
        type: 'lost',
        session: this.#session,
        fromMs,
        toMs: this.#nowMs,
        frames: kept.length,
        cause: GapCause.sinkOutage,
      });
      return;
    }
    const owner = { run: this.#runName, session: this.#session };
    this.#spool.push({ fromMs, toMs: this.#nowMs, frames: kept, owner });
  }

  /** Everything on disk is stored, oldest first. */
  #upload(): void {
    for (const { fromMs, toMs, frames, owner } of this.#spool) {
      const own = frames.every((frame) => this.#ownFrames.has(frame));
      for (const frame of frames) frame.fate = 'stored';
      this.#write({
        type: 'stored',
        session: this.#session,
        fromMs,
        toMs,
        frames: frames.length,
        ...(own ? {} : { recovered: true as const, ...this.#named(owner) }),
      });
    }
    this.#spool = [];
    this.#report();
  }

  #report(newestMs = this.frames.at(-1)?.timeMs ?? 0): void {
    this.#write({ type: 'seen', session: this.#session, received: this.#received, newestMs });
  }

  #begin(): void {
    this.#run += 1;
    this.#seq = 0;
    this.#session = 0;
    if (this.#clockSteps && this.#chance(0.3)) this.#nowMs += this.#below(100_000) - 50_000;
    this.#write({ type: 'begin', pid: 1 });
    // From the start of a Bridge to its first fragment.
    this.#wait(3_000 + this.#below(1_000));
  }

  #beginSession(): void {
    this.#session += 1;
    this.#received = 0;
    this.#write({ type: 'session', session: this.#session });
    if (this.#clockSteps && this.#chance(0.3)) {
      const byMs = this.#below(100_000) - 50_000;
      this.#nowMs += byMs;
      this.#write({ type: 'clock', byMs });
    }
    this.#wait(this.#below(2_000));
    this.#ownFrames.clear();
    this.#write({ type: 'obstacle', cause: null });
  }

  /** Where no clock is set, the times tell it as well. */
  #named(owner: StoryFragment['owner']): Partial<Pick<StoryFragment, 'owner'>> {
    return this.#clockSteps || this.#chance(0.5) ? { owner } : {};
  }

  get #runName(): string {
    return `run-${String(this.#run)}`;
  }

  #wait(ms: number): void {
    this.#nowMs += ms;
  }

  #write(entry: LedgerEntry): void {
    this.#seq += 1;
    const origin = { run: this.#runName, seq: this.#seq, atMs: this.#nowMs };
    this.lines.push({ ...entry, ...origin });
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.#below(choices.length)] ?? choices[0];
  }
}
