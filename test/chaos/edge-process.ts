/**
 * What stands between the bridge and the world, on the bridge's own host: the paths to KVS and to
 * the TURN server, and the agent that hands out its role's keys.
 */
import type { LinkConditions } from '../support/impairment.js';
import { RoleServer } from '../support/role-server.js';
import type { RoleKeys } from '../support/role-server.js';
import { serve } from './remote.js';
import { TcpRelay } from './tcp-relay.js';
import type { Address, TcpCondition } from './tcp-relay.js';
import { UdpRelay } from './udp-relay.js';

/** A path, from where it is entered. */
interface Path {
  readonly listenAt: Address;
  readonly target: Address;
}

let kvs: TcpRelay | undefined;
let turn: UdpRelay | undefined;
let role: RoleServer | undefined;

const calls = {
  /** @returns the environment in which the role's keys are found */
  async start(options: {
    readonly kvs: Path;
    readonly turn: Path;
    readonly keys: RoleKeys;
    readonly seed: number;
  }): Promise<Readonly<Record<string, string>>> {
    kvs = new TcpRelay(options.kvs.listenAt, options.kvs.target);
    await kvs.listen();
    turn = new UdpRelay(options.turn.target, options.seed);
    await turn.listen(options.turn.listenAt);
    role = await RoleServer.start(options.keys);
    return role.environment;
  },
  async setKvs({ condition, delayMs }: { condition: TcpCondition; delayMs?: number }) {
    await kvs?.set(condition, delayMs);
  },
  cutKvs(): number {
    return kvs?.cut() ?? 0;
  },
  setTurn(conditions: LinkConditions): void {
    turn?.set(conditions);
  },
  /** Without keys the agent is down. */
  setKeys({ keys, expiresAtMs }: { keys?: RoleKeys; expiresAtMs?: number }): void {
    if (role === undefined) return;
    role.keys = keys;
    role.expiresAtMs = expiresAtMs;
  },
};

/** What it can be asked. */
export type EdgeCalls = typeof calls;

serve(calls);
