/**
 * Where each party of a chaos run lives: in a network namespace of its own, joined by a switch in
 * one more, so that any of them can be unplugged; without the right to make those, all on one host.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import type { LinkConditions } from '../support/impairment.js';

const run = promisify(execFile);

export const placeNames = ['bridge', 'master', 'turn', 'kvs'] as const;
/** One of {@link placeNames}. */
export type PlaceName = (typeof placeNames)[number];

/** Where processes of one party run. */
export interface Place {
  /** Under which the others reach it. */
  readonly address: string;
  /** What to execute to run a command there; the process keeps its id. */
  command(command: readonly string[]): readonly string[];
}

const prefix = 'kvsb-chaos';

export class Network implements AsyncDisposable {
  readonly #namespaces: ReadonlyMap<PlaceName, string>;
  readonly #hub: string | undefined;
  /** Whether the kernel can lose and delay packets (`tc netem`). */
  readonly hasNetem: boolean;
  /** Why there are no namespaces; undefined when there are. */
  readonly noNamespaces: string | undefined;

  private constructor(
    namespaces: ReadonlyMap<PlaceName, string>,
    hub: string | undefined,
    hasNetem: boolean,
    noNamespaces?: string,
  ) {
    this.#namespaces = namespaces;
    this.#hub = hub;
    this.hasNetem = hasNetem;
    this.noNamespaces = noNamespaces;
  }

  static async open(): Promise<Network> {
    const hub = `${prefix}-${String(process.pid)}-hub`;
    const namespaces = new Map(
      placeNames.map((name) => [name, `${prefix}-${String(process.pid)}-${name}`] as const),
    );
    try {
      await removeStale();
      await ip('netns', 'add', hub);
      await inside(hub, 'ip', 'link', 'add', 'name', 'switch', 'type', 'bridge');
      await inside(hub, 'ip', 'link', 'set', 'switch', 'up');
      for (const [name, namespace] of namespaces) await plugIn(hub, name, namespace);
      return new Network(namespaces, hub, await canNetem(namespaces));
    } catch (error) {
      await remove([hub, ...namespaces.values()]);
      const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : '';
      return new Network(new Map(), undefined, false, reason ?? 'they cannot be made');
    }
  }

  place(name: PlaceName): Place {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) return { address: hostAddress(), command: (command) => command };
    return {
      address: addressOf(name),
      command: (command) => ['nsenter', `--net=/run/netns/${namespace}`, ...command],
    };
  }

  /** Pulls a party's cable, or plugs it in again. Needs namespaces. */
  async setCable(name: PlaceName, isPluggedIn: boolean): Promise<void> {
    if (this.#hub === undefined) throw new Error('there are no cables without namespaces');
    await inside(this.#hub, 'ip', 'link', 'set', 'dev', name, isPluggedIn ? 'up' : 'down');
  }

  /** What the kernel does to the packets that a party sends. Needs {@link hasNetem}. */
  async setNetem(name: PlaceName, conditions: LinkConditions): Promise<void> {
    const { delayMs = 0, jitterMs = 0, lossPercent = 0 } = conditions;
    const delay = ['delay', `${String(delayMs)}ms`, `${String(jitterMs)}ms`];
    const netem = ['netem', ...delay, 'loss', `${String(lossPercent)}%`];
    const namespace = this.#namespaces.get(name) ?? '';
    await inside(namespace, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', ...netem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hub !== undefined) await remove([this.#hub, ...this.#namespaces.values()]);
  }
}

function addressOf(name: PlaceName): string {
  return `10.77.0.${String(placeNames.indexOf(name) + 1)}`;
}

/** An address that candidates may have: not loopback where there is another. */
function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return own?.address ?? '127.0.0.1';
}

async function ip(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('ip', args);
  return stdout;
}

async function inside(namespace: string, ...command: readonly string[]): Promise<void> {
  await run('nsenter', [`--net=/run/netns/${namespace}`, ...command]);
}

async function plugIn(hub: string, name: PlaceName, namespace: string): Promise<void> {
  await ip('netns', 'add', namespace);
  const peer = ['peer', 'name', 'eth0', 'netns', namespace];
  await inside(hub, 'ip', 'link', 'add', 'name', name, 'type', 'veth', ...peer);
  await inside(hub, 'ip', 'link', 'set', 'dev', name, 'master', 'switch', 'up');
  await inside(namespace, 'ip', 'link', 'set', 'lo', 'up');
  await inside(namespace, 'ip', 'address', 'add', `${addressOf(name)}/24`, 'dev', 'eth0');
  await inside(namespace, 'ip', 'link', 'set', 'eth0', 'up');
}

async function canNetem(namespaces: ReadonlyMap<PlaceName, string>): Promise<boolean> {
  const namespace = namespaces.get('master') ?? '';
  const netem = ['qdisc', 'add', 'dev', 'eth0', 'root', 'netem', 'delay', '0ms'];
  return inside(namespace, 'tc', ...netem).then(
    () => true,
    () => false,
  );
}

/** Those of runs that were killed. */
async function removeStale(): Promise<void> {
  const names = (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '');
  const stale = names.filter((name) => {
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  await remove(stale);
}

async function remove(namespaces: readonly string[]): Promise<void> {
  for (const name of namespaces) await ip('netns', 'delete', name).catch(() => undefined);
}
