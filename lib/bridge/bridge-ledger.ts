/** Writes down what a Bridge stored, what it did not, and why. */
import { GapCause, causeOfHole, causeOfLoss, causeOfSessionEnd } from '../ledger/gap-causes.js';
import type { Gap } from '../ledger/gap-list.js';
import { overlapMs } from '../ledger/interval-set.js';
import { LedgerFile } from '../ledger/ledger-file.js';
import type { LedgerEntry } from '../ledger/ledger-lines.js';
import type {
  MediaGap,
  MediaSession,
  MediaSessionEnd,
  MediaSessionOptions,
  StoredFragment,
} from '../media/media-session.js';
import type { ErrorCode, KvsBridgeError } from '../util/errors.js';
import { BridgeState } from './events.js';
import type { BridgeGap } from './events.js';

/** How often it is written down how much a session received while nothing of it is stored, in ms. */
const seenIntervalMs = 5_000;
/** The clock was set when it moved this much against the time that passed, in ms. */
const clockStepMs = 1_000;
/** Holes that the pipeline reported, kept for their reasons. */
const maxReasons = 100;

/** Who is told. */
export interface BridgeLedgerHandlers {
  /** A gap became certain: media after it is persisted. */
  readonly onGap: (gap: BridgeGap) => void;
  readonly onWarning: (error: KvsBridgeError) => void;
}

interface FollowedSession {
  readonly number: number;
  hasMedia: boolean;
  isEnding: boolean;
  received: number;
  newestMs: number;
  seenAtMs: number;
}

/** One Bridge's side of its stream's ledger. */
export class BridgeLedger {
  readonly #file: LedgerFile;
  readonly #handlers: BridgeLedgerHandlers;
  readonly #reasons: MediaGap[] = [];
  readonly #numbers = new WeakMap<MediaSession, number>();
  #sessions = 0;
  #obstacle: GapCause | null = null;
  /** Where gaps were last looked for. */
  #toldMs: number | undefined;
  /** Between the wall clock and the one that nobody sets. */
  #clockOffsetMs = clockOffsetMs();
  #isOver = false;

  constructor(path: string, handlers: BridgeLedgerHandlers) {
    this.#file = new LedgerFile(path);
    this.#handlers = handlers;
    this.#file.on('warning', handlers.onWarning);
  }

  /** Reads what earlier runs left. Never rejects. */
  async open(): Promise<void> {
    await this.#file.open();
    this.#toldMs = this.#file.ledger.range?.toMs;
    this.#add({ type: 'begin', pid: process.pid });
  }

  /** Follows a session until it is closed. */
  follow(media: MediaSession): void {
    const session: FollowedSession = {
      number: this.#numberOf(media),
      hasMedia: false,
      isEnding: false,
      received: 0,
      newestMs: 0,
      seenAtMs: 0,
    };
    media.on('connectionState', ({ connection }) => {
      if (connection !== 'connected' || session.isEnding || this.#obstacle === null) return;
      this.#setObstacle(GapCause.sourceSilent);
    });
    media.on('track', () => {
      if (!session.isEnding) this.#setObstacle(null);
    });
    media.on('epoch', ({ timecodeMs }) => {
      this.#see(session, session.received, timecodeMs);
    });
    media.on('totals', ({ videoFramesReceived, newestReceivedMs }) => {
      this.#checkClock();
      if (videoFramesReceived === session.received) return;
      session.received = videoFramesReceived;
      session.newestMs = newestReceivedMs;
      if (performance.now() - session.seenAtMs < seenIntervalMs) return;
      this.#see(session, videoFramesReceived, newestReceivedMs);
    });
    media.on('gap', (gap) => {
      this.#reasons.push(gap);
      if (this.#reasons.length > maxReasons) this.#reasons.shift();
      const { fromMs, toMs, reason, videoFramesDropped: frames } = gap;
      const cause = causeOfHole(reason);
      this.#about(session, { type: 'hole', ...forward(fromMs, toMs), frames, cause });
    });
    media.on('lost', ({ videoFrames: frames, reason, fromMs, toMs, ...origin }) => {
      // Without a time they are in a hole that the pipeline reports, or were never in a fragment.
      if (fromMs === undefined || toMs === undefined) return;
      const cause = causeOfLoss(reason);
      this.#about(session, {
        type: 'lost',
        ...forward(fromMs, toMs),
        frames,
        cause,
        ...recoveryOf(origin),
      });
    });
    media.on('persisted', ({ timecodeMs, durationMs, videoFrames: frames, ...origin }) => {
      this.#about(session, {
        type: 'stored',
        ...forward(timecodeMs, timecodeMs + durationMs),
        frames,
        ...recoveryOf(origin),
      });
      if (session.newestMs > 0) this.#see(session, session.received, session.newestMs);
      this.#tellGaps(timecodeMs, timecodeMs + durationMs);
    });
    media.once('ending', ({ error }) => {
      session.isEnding = true;
      if (session.newestMs > 0) this.#see(session, session.received, session.newestMs);
      this.#loseSource(session, error?.code);
    });
    media.once('closed', (end) => {
      this.#end(session, end);
    });
  }

  /** What a session that begins now has to know. */
  mediaOptions(media: MediaSession): Pick<MediaSessionOptions, 'ledger' | 'resumesAfterMs'> {
    const { path, run, ledger } = this.#file;
    const { newestMs } = ledger;
    return {
      ledger: { path, run, session: this.#numberOf(media) },
      ...(newestMs === undefined ? {} : { resumesAfterMs: newestMs }),
    };
  }

  /** Why nothing was received of late; undefined before the first frame of all. */
  gapCause(): GapCause | undefined {
    const { ledger } = this.#file;
    const { newestMs } = ledger;
    if (newestMs === undefined) return undefined;
    return ledger.causeSince(newestMs, Date.now()) ?? GapCause.reconnect;
  }

  /** The Bridge is in another state. */
  onState(state: BridgeState): void {
    // An offer is out, and nobody answered it yet.
    if (state === BridgeState.waiting) this.#setObstacle(GapCause.sourceAway);
    // Asked for: what is missing from now on is nobody's fault.
    if (state === BridgeState.stopping) this.#isOver = true;
  }

  /** Writes down that this run ends in order. */
  async close(): Promise<void> {
    this.#add({ type: 'end' });
    await this.#file.close();
  }

  #end(session: FollowedSession, { error, totals }: MediaSessionEnd): void {
    if (!session.isEnding && !this.#isOver) this.#loseSource(session, error?.code);
    session.isEnding = true;
    const { videoFramesReceived: received, newestReceivedMs: newestMs } = totals;
    if (!session.hasMedia && received === 0) return;
    const cause =
      this.#isOver && error === undefined ? GapCause.restart : causeOfSessionEnd(error?.code);
    this.#about(session, { type: 'ended', received, newestMs, cause });
  }

  /** From now on nothing is received, since its newest frame in truth. */
  #loseSource({ hasMedia, newestMs }: FollowedSession, code: ErrorCode | undefined): void {
    if (!hasMedia || this.#isOver) return;
    this.#setObstacle(causeOfSessionEnd(code), newestMs === 0 ? undefined : newestMs);
  }

  #setObstacle(cause: GapCause | null, sinceMs?: number): void {
    if (this.#obstacle === cause) return;
    this.#obstacle = cause;
    this.#add({ type: 'obstacle', cause, ...(sinceMs === undefined ? {} : { sinceMs }) });
  }

  #see(session: FollowedSession, received: number, newestMs: number): void {
    session.seenAtMs = performance.now();
    this.#about(session, { type: 'seen', received, newestMs });
  }

  #about(session: FollowedSession, entry: SessionEntry): void {
    if (!session.hasMedia) {
      session.hasMedia = true;
      this.#add({ type: 'session', session: session.number });
    }
    this.#add({ ...entry, session: session.number });
  }

  #checkClock(): void {
    const offsetMs = clockOffsetMs();
    const byMs = Math.round(offsetMs - this.#clockOffsetMs);
    this.#clockOffsetMs = offsetMs;
    if (Math.abs(byMs) >= clockStepMs) this.#add({ type: 'clock', byMs });
  }

  /** Tells the gaps between what was stored before and what is stored now. */
  #tellGaps(fromMs: number, toMs: number): void {
    const toldMs = this.#toldMs ?? -Infinity;
    this.#toldMs = toMs;
    // After the very first fragment, and after a clock was set back, a gap may end where it begins.
    const isNewStart = fromMs < toldMs || toldMs === -Infinity;
    const afterMs = isNewStart ? fromMs - 1 : toldMs;
    for (const gap of this.#file.ledger.gaps()) {
      if (!gap.open && gap.toMs > afterMs && gap.toMs <= toMs) this.#tell(gap);
    }
  }

  #tell(gap: Gap): void {
    const { fromMs, toMs, cause, videoFramesLost } = gap;
    const reported = this.#reasons.find(
      (hole) => causeOfHole(hole.reason) === cause && overlapMs(hole, gap) > 0,
    );
    const reason = reported?.reason ?? cause;
    this.#handlers.onGap({ fromMs, toMs, reason, cause, videoFramesDropped: videoFramesLost });
  }

  #numberOf(media: MediaSession): number {
    const known = this.#numbers.get(media);
    if (known !== undefined) return known;
    this.#sessions += 1;
    this.#numbers.set(media, this.#sessions);
    return this.#sessions;
  }

  #add(entry: LedgerEntry): void {
    this.#file.add(entry);
  }
}

/** An entry about a session, which is yet to be named. */
type SessionEntry = LedgerEntry extends infer Entry
  ? Entry extends { readonly session: number }
    ? Omit<Entry, 'session'>
    : never
  : never;

type Recovery = Pick<StoredFragment, 'owner' | 'recovered'>;

function recoveryOf({ owner, recovered }: Recovery): Recovery {
  if (recovered === undefined) return {};
  return { recovered, ...(owner === undefined ? {} : { owner }) };
}

function forward(fromMs: number, toMs: number): { fromMs: number; toMs: number } {
  return { fromMs, toMs: Math.max(fromMs, toMs) };
}

function clockOffsetMs(): number {
  return Date.now() - performance.now();
}
