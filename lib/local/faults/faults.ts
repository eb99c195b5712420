/** Makes the local KVS misbehave on purpose, for tests. */
import type { Role } from '../endpoints.js';
import type { PutMediaConnection } from '../ingest/put-media-connection.js';
import type { SignalingConnection } from '../signaling/signaling-connection.js';
import type {
  AckFailure,
  AllowedCalls,
  CallFailure,
  ClockShift,
  Fault,
  FaultPlan,
  FragmentRate,
  PersistedDelay,
  RevokedKeys,
  StreamScope,
} from './fault-plan.js';

/** Which signaling connections a fault concerns; all that is given must match. */
export interface SignalingScope {
  readonly channelName?: string;
  readonly role?: Role;
  readonly clientId?: string;
}

/** How signaling connections are dropped. */
export interface SignalingDrop extends SignalingScope {
  /** Close code of an orderly close. @defaultValue none: TCP is cut */
  readonly code?: number;
}

/** What is open right now. */
export interface OpenConnections {
  readonly putMedia: () => Iterable<PutMediaConnection>;
  readonly signaling: () => Iterable<SignalingConnection>;
}

/** Planned faults end with their count or with `remove`; `clear` ends them all. */
export class Faults {
  readonly #plan: FaultPlan;
  readonly #open: OpenConnections;

  /** @internal */
  constructor(plan: FaultPlan, open: OpenConnections) {
    this.#plan = plan;
    this.#open = open;
  }

  /** Answers the next calls, PutMedia and WebSocket upgrades included, with an error. */
  failCalls(fault: CallFailure): Fault {
    return this.#plan.failCalls(fault);
  }

  /** Answers every other operation with AccessDeniedException, whoever asks. */
  allowOnly(fault: AllowedCalls): Fault {
    return this.#plan.allowOnly(fault);
  }

  /** Answers a fragment with an ERROR acknowledgement; it is not stored, the connection ends. */
  failAck(fault: AckFailure): Fault {
    return this.#plan.failAck(fault);
  }

  /** Sends PERSISTED later, or never. The fragments are stored all the same. */
  delayPersisted(fault: PersistedDelay): Fault {
    return this.#plan.delayPersisted(fault);
  }

  /**
   * Answers a fragment beyond a stream's rate, over all its uploads, with ERROR 5000; the connection
   * ends. That there is such a quota is documented, how the service answers is not.
   */
  limitFragments(fault: FragmentRate): Fault {
    return this.#plan.limitFragments(fault);
  }

  /** Answers what these keys sign with ExpiredTokenException; what is open stays open. */
  revokeKeys(fault: RevokedKeys): Fault {
    return this.#plan.revokeKeys(fault);
  }

  /** Checks signatures, and dates answers, by another time. */
  shiftClock(fault: ClockShift): Fault {
    return this.#plan.shiftClock(fault);
  }

  /** Stops reading uploads, those that come as well, until the fault is removed. */
  stallPutMedia(fault: StreamScope = {}): Fault {
    return this.#plan.stall(fault);
  }

  /** Resets the connections of open uploads. @returns how many there were */
  cutPutMedia({ streamName }: StreamScope = {}): number {
    const matching = [...this.#open.putMedia()].filter(
      (connection) => streamName === undefined || connection.streamName === streamName,
    );
    for (const connection of matching) connection.cut();
    return matching.length;
  }

  /** Sends GO_AWAY; the connection closes after the grace period. @returns to how many peers */
  sendGoAway(scope: SignalingScope = {}): number {
    return this.#each(scope, (connection) => {
      connection.goAway();
    });
  }

  /** Sends RECONNECT_ICE_SERVER. @returns to how many peers */
  sendReconnectIceServer(scope: SignalingScope = {}): number {
    return this.#each(scope, (connection) => {
      connection.reconnectIceServer();
    });
  }

  /** Ends signaling connections. @returns how many there were */
  dropSignaling({ code, ...scope }: SignalingDrop = {}): number {
    return this.#each(scope, (connection) => {
      if (code === undefined) connection.terminate();
      else connection.close(code, 'fault injection');
    });
  }

  /** Leaves signaling connections open, but nothing goes in or out. @returns how many */
  silenceSignaling(scope: SignalingScope = {}): number {
    return this.#each(scope, (connection) => {
      connection.silence();
    });
  }

  /** Ends every planned fault. */
  clear(): void {
    this.#plan.clear();
  }

  #each(scope: SignalingScope, act: (connection: SignalingConnection) => void): number {
    const { channelName, role, clientId } = scope;
    const matching = [...this.#open.signaling()].filter(
      ({ peer }) =>
        (channelName === undefined || peer.channelName === channelName) &&
        (role === undefined || peer.role === role) &&
        (clientId === undefined || peer.clientId === clientId),
    );
    for (const connection of matching) act(connection);
    return matching.length;
  }
}
