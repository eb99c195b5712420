/** What a Bridge measures, over all its sessions. */
import { noStats } from '../media/session-stats.js';
import type {
  AckCounts,
  MediaPath,
  ProcessUsage,
  RtpStats,
  SessionStats,
} from '../media/session-stats.js';

/** Counts since the Bridge started, and the present session's newest measurements. */
export interface BridgeStats {
  /** Which way media takes; absent while no session is connected. */
  readonly path?: MediaPath;
  /** To the master and back, in ms; absent where it cannot be measured, through a relay for one. */
  readonly roundTripMs?: number;
  /**
   * How far the newest sound received is ahead of the newest picture by their producer timestamps, in
   * ms; below zero: behind. Both are stored by these, so it means waiting, not bad lip sync.
   */
  readonly audioLeadMs?: number;
  readonly video: RtpStats;
  readonly audio: RtpStats;
  readonly acks: AckCounts;
  /** Of all media processes; its lag is that of the one that reported last. */
  readonly mediaProcesses: ProcessUsage;
}

/** Where one session tells what it measured. */
export interface StatsTally {
  update(stats: SessionStats): void;
  /** It is no longer the present one: it drains. */
  leave(): void;
  /** It is over. */
  end(): void;
}

const noUsage: ProcessUsage = {
  cpuUserMs: 0,
  cpuSystemMs: 0,
  residentBytes: 0,
  eventLoopLagMs: 0,
};

/** Adds up what sessions count; of what they measure, the present one's counts. */
export class StatsSums {
  readonly #running = new Map<StatsTally, SessionStats>();
  #finished = noStats;
  #present: StatsTally | undefined;
  #eventLoopLagMs = 0;

  /** A session begins, and is the present one. */
  begin(): StatsTally {
    const tally: StatsTally = {
      update: (stats) => {
        if (!this.#running.has(tally)) return;
        this.#running.set(tally, stats);
        this.#eventLoopLagMs = stats.process?.eventLoopLagMs ?? 0;
      },
      leave: () => {
        if (this.#present === tally) this.#present = undefined;
      },
      end: () => {
        tally.leave();
        const last = this.#running.get(tally);
        if (last === undefined) return;
        const { cpuUserMs, cpuSystemMs } = last.process ?? noUsage;
        // What it held went with it.
        const process = { ...noUsage, cpuUserMs, cpuSystemMs };
        this.#finished = add(this.#finished, { ...last, process });
        this.#running.delete(tally);
      },
    };
    this.#running.set(tally, noStats);
    this.#present = tally;
    return tally;
  }

  read(): BridgeStats {
    const sum = [...this.#running.values()].reduce(add, this.#finished);
    const present = this.#present === undefined ? undefined : this.#running.get(this.#present);
    const { path, roundTripMs, audioLeadMs, video, audio } = present ?? noStats;
    return {
      ...(path === undefined ? {} : { path }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(audioLeadMs === undefined ? {} : { audioLeadMs }),
      video: { ...sum.video, jitterMs: video.jitterMs },
      audio: { ...sum.audio, jitterMs: audio.jitterMs },
      acks: sum.acks,
      mediaProcesses: { ...(sum.process ?? noUsage), eventLoopLagMs: this.#eventLoopLagMs },
    };
  }
}

/** Sums of what is counted. */
function add(a: SessionStats, b: SessionStats): SessionStats {
  return {
    video: addRtp(a.video, b.video),
    audio: addRtp(a.audio, b.audio),
    acks: addAcks(a.acks, b.acks),
    process: addUsage(a.process ?? noUsage, b.process ?? noUsage),
  };
}

function addRtp(a: RtpStats, b: RtpStats): RtpStats {
  return {
    packetsReceived: a.packetsReceived + b.packetsReceived,
    bytesReceived: a.bytesReceived + b.bytesReceived,
    packetsLost: a.packetsLost + b.packetsLost,
    nacksSent: a.nacksSent + b.nacksSent,
    plisSent: a.plisSent + b.plisSent,
    firsSent: a.firsSent + b.firsSent,
    jitterMs: 0,
  };
}

function addAcks(a: AckCounts, b: AckCounts): AckCounts {
  const errors: Record<string, number> = { ...a.errors };
  for (const [id, count] of Object.entries(b.errors)) errors[id] = (errors[id] ?? 0) + count;
  return {
    buffering: a.buffering + b.buffering,
    received: a.received + b.received,
    persisted: a.persisted + b.persisted,
    errors,
  };
}

function addUsage(a: ProcessUsage, b: ProcessUsage): ProcessUsage {
  return {
    cpuUserMs: a.cpuUserMs + b.cpuUserMs,
    cpuSystemMs: a.cpuSystemMs + b.cpuSystemMs,
    residentBytes: a.residentBytes + b.residentBytes,
    eventLoopLagMs: 0,
  };
}
