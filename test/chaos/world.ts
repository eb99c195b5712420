/** Bridge, master, TURN server and KVS, each a process of its own in a place of its own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { localCredentials } from '../../lib/local/index.js';
import type { LocalKvsOptions } from '../../lib/local/index.js';
import type { LinkConditions } from '../support/impairment.js';
import type { RoleKeys } from '../support/role-server.js';
import { Disposers } from '../support/disposers.js';
import { TurnServer, turnSecret } from '../support/turn-server.js';
import { bridgeCommand, recorded } from './bridge-command.js';
import type { BridgeSettings } from './bridge-command.js';
import { BridgeRunner } from './bridge-runner.js';
import type { EdgeCalls } from './edge-process.js';
import { FakeClock } from './fake-clock.js';
import type { KvsCalls, KvsFault } from './kvs-process.js';
import { MasterRunner } from './master-runner.js';
import { Network } from './network.js';
import { Remote } from './remote.js';
import type { Address, TcpCondition } from './tcp-relay.js';

const run = promisify(execFile);

const kvsPort = 18_443;
const turnPort = 13_478;
const turnPathPort = 13_479;
/** Where each party finds KVS: a relay of its own stands there. */
const kvsPath = { host: '127.0.0.2', port: kvsPort } as const;

/** What the master sends, 15 frames a second of it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly videoBitrateBps: number;
}

/** Small, to spare the machine; room for the number at least. */
const smallPicture: Picture = { width: 480, height: 96, videoBitrateBps: 200_000 };

/** How many times the role's keys can change in a run. */
const keyPairs = 64;
/** Holds many minutes of the test picture. */
const defaultDiskMb = 64;

/** Options of {@link World.start}. */
export interface WorldOptions {
  readonly seed: number;
  /** @defaultValue every default of `kvs-bridge start` */
  readonly bridge?: BridgeSettings;
  readonly limits?: LocalKvsOptions['limits'];
  /** Seconds that TURN credentials hold. @defaultValue 300 */
  readonly turnTtlSeconds?: number;
  /** @defaultValue 480 x 96 at 200 kbit/s, to spare the machine */
  readonly picture?: Picture;
  /** Size of the disk that the spool is on. @defaultValue 64 */
  readonly diskMb?: number;
}

/** What a {@link World} is put together from. */
interface Parts {
  readonly disposers: Disposers;
  readonly network: Network;
  readonly folder: string;
  readonly hasSpoolDisk: boolean;
  readonly kvs: Remote<KvsCalls>;
  readonly turn: TurnServer;
  readonly edge: Remote<EdgeCalls>;
  readonly bridgeEnv: Readonly<Record<string, string>>;
}

export class World implements AsyncDisposable {
  readonly network: Network;
  readonly master: MasterRunner;
  readonly bridge: BridgeRunner;
  readonly clock: FakeClock;
  /** Where the KVS keeps everything. */
  readonly dataDir: string;
  /** Where the bridge keeps what waits. */
  readonly stateFolder: string;
  /** Whether that is a small disk of its own, which can be filled. */
  readonly hasSpoolDisk: boolean;
  readonly #options: WorldOptions;
  readonly #disposers: Disposers;
  readonly #folder: string;
  readonly #edge: Remote<EdgeCalls>;
  #kvs: Remote<KvsCalls>;
  #turn: TurnServer;
  #keyPair = 0;

  private constructor(options: WorldOptions, parts: Parts) {
    const { network, folder, disposers } = parts;
    this.#options = options;
    this.#disposers = disposers;
    this.#folder = folder;
    this.network = network;
    this.dataDir = dataDirOf(folder);
    this.stateFolder = stateFolderOf(folder);
    this.hasSpoolDisk = parts.hasSpoolDisk;
    this.#kvs = parts.kvs;
    this.#turn = parts.turn;
    this.#edge = parts.edge;
    disposers.defer(() => this.#kvs[Symbol.asyncDispose]());
    disposers.defer(() => this.#turn[Symbol.asyncDispose]());
    this.clock = new FakeClock(folder);
    this.master = disposers.use(
      new MasterRunner(network.place('master'), {
        // On one host there is the bridge's path already.
        ...(network.noNamespaces === undefined
          ? { path: { listenAt: kvsPath, target: kvsAddress(network) } }
          : {}),
        master: {
          channel: recorded.channel,
          createChannel: true,
          endpoint: endpointOf(kvsPath),
          region: 'us-east-1',
          credentials: localCredentials,
          stunUri: null,
          frameRate: 15,
          ...(options.picture ?? smallPicture),
          numberedSinceMs: Date.now() - 60_000,
        },
      }),
    );
    this.bridge = disposers.use(
      new BridgeRunner({
        place: network.place('bridge'),
        command: bridgeCommand(endpointOf(kvsPath), options.bridge ?? {}),
        env: {
          ...parts.bridgeEnv,
          ...this.clock.environment,
          STATE_DIRECTORY: this.stateFolder,
        },
      }),
    );
  }

  /** Everything but master and bridge runs when it resolves. */
  static async start(options: WorldOptions): Promise<World> {
    const disposers = new Disposers();
    try {
      return await World.#build(options, disposers);
    } catch (error) {
      await disposers[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #build(options: WorldOptions, disposers: Disposers): Promise<World> {
    const network = disposers.use(await Network.open());
    const folder = await mkdtemp(join(tmpdir(), 'kvs-bridge-chaos-'));
    disposers.defer(() => rm(folder, { recursive: true, force: true }));
    const stateFolder = stateFolderOf(folder);
    await mkdir(stateFolder);
    const hasSpoolDisk = await mountDisk(stateFolder, options.diskMb ?? defaultDiskMb);
    if (hasSpoolDisk) disposers.defer(() => run('umount', ['--lazy', stateFolder]));
    const kvs = await startKvs(network, folder, options);
    const turn = await startTurn(network);
    const edge = disposers.use(new Remote<EdgeCalls>(network.place('bridge'), 'edge-process.js'));
    const bridgeEnv = await edge.call('start', {
      kvs: { listenAt: kvsPath, target: kvsAddress(network) },
      turn: {
        listenAt: turnPath(network),
        target: { host: network.place('turn').address, port: turnPort },
      },
      keys: roleKeys(0),
      seed: options.seed,
    });
    const parts = { disposers, network, folder, hasSpoolDisk, kvs, turn, edge, bridgeEnv };
    return new World(options, parts);
  }

  async kvsFault(fault: KvsFault): Promise<void> {
    await this.#kvs.call('fault', fault);
  }

  async clearKvsFaults(): Promise<void> {
    await this.#kvs.call('clear', undefined);
  }

  signalKvs(signal: NodeJS.Signals): void {
    this.#kvs.signal(signal);
  }

  /** @param isOrderly - false: it is killed */
  async stopKvs(isOrderly = false): Promise<void> {
    if (isOrderly) await this.#kvs.call('close', undefined);
    await this.#kvs.kill();
  }

  /** Another one, on the same data. */
  async startKvs(): Promise<void> {
    this.#kvs = await startKvs(this.network, this.#folder, this.#options);
  }

  signalTurn(signal: NodeJS.Signals): void {
    this.#turn.signal(signal);
  }

  async stopTurn(): Promise<void> {
    await this.#turn[Symbol.asyncDispose]();
  }

  async startTurn(): Promise<void> {
    this.#turn = await startTurn(this.network);
  }

  /** What happens to media between the bridge and the TURN server, both ways. */
  async setMediaPath(conditions: LinkConditions): Promise<void> {
    if (this.network.hasNetem) await this.network.setNetem('turn', conditions);
    else await this.#edge.call('setTurn', conditions);
  }

  /** New keys for the bridge's role; those before work no more. */
  async rotateKeys(): Promise<void> {
    const previous = roleKeys(this.#keyPair);
    this.#keyPair = (this.#keyPair + 1) % keyPairs;
    await this.#edge.call('setKeys', { keys: roleKeys(this.#keyPair) });
    const { accessKeyId } = previous;
    await this.kvsFault({ name: 'revokeKeys', argument: { accessKeyId } });
  }

  /** New keys that end after `lifetimeMs`; those before go on until their own end. */
  async renewKeys(lifetimeMs: number): Promise<void> {
    this.#keyPair = (this.#keyPair + 1) % keyPairs;
    const keys = roleKeys(this.#keyPair);
    await this.#edge.call('setKeys', { keys, expiresAtMs: Date.now() + lifetimeMs });
    const { accessKeyId } = keys;
    const end = setTimeout(() => {
      const fault = { name: 'revokeKeys', argument: { accessKeyId } } as const;
      // A KVS that ended asks for no keys.
      this.kvsFault(fault).catch(() => undefined);
    }, lifetimeMs);
    this.#disposers.defer(() => {
      clearTimeout(end);
    });
  }

  /** Why the PutMedia requests ended that this KVS took. */
  async endedUploads(): Promise<readonly string[]> {
    return this.#kvs.call('endedUploads', undefined);
  }

  /** The role's agent answers nobody. */
  async stopRole(): Promise<void> {
    await this.#edge.call('setKeys', {});
  }

  async startRole(): Promise<void> {
    await this.#edge.call('setKeys', { keys: roleKeys(this.#keyPair) });
  }

  /** What happens to the connections between the bridge and KVS. */
  async setKvsPath(condition: TcpCondition, delayMs = 0): Promise<void> {
    await this.#edge.call('setKvs', { condition, delayMs });
  }

  /** Resets the connections between the bridge and KVS. */
  async cutKvsPath(): Promise<void> {
    await this.#edge.call('cutKvs', undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposers[Symbol.asyncDispose]();
  }
}

function endpointOf({ host, port }: Address): string {
  return `http://${host}:${String(port)}`;
}

function kvsAddress(network: Network): Address {
  const isApart = network.noNamespaces === undefined;
  return { host: isApart ? network.place('kvs').address : '127.0.0.1', port: kvsPort };
}

/** Not on loopback: sockets that are bound to the host's own address do not reach that. */
function turnPath(network: Network): Address {
  return { host: network.place('bridge').address, port: turnPathPort };
}

function dataDirOf(folder: string): string {
  return join(folder, 'kvs');
}

function stateFolderOf(folder: string): string {
  return join(folder, 'state');
}

function roleKeys(index: number): RoleKeys {
  const name = `role-${String(index)}`;
  return {
    accessKeyId: name,
    secretAccessKey: `${name}-secret-access-key`,
    sessionToken: `${name}-session-token`,
  };
}

async function startKvs(
  network: Network,
  folder: string,
  { limits, turnTtlSeconds = 300 }: WorldOptions,
): Promise<Remote<KvsCalls>> {
  const kvs = new Remote<KvsCalls>(network.place('kvs'), 'kvs-process.js');
  const { host: listenHost, port } = turnPath(network);
  await kvs.call('start', {
    dataDir: dataDirOf(folder),
    ...kvsAddress(network),
    advertisedHost: kvsPath.host,
    credentials: [localCredentials, ...Array.from({ length: keyPairs }, (_, i) => roleKeys(i))],
    iceServers: [
      {
        uris: [`turn:${listenHost}:${String(port)}?transport=udp`],
        username: 'chaos',
        password: '',
        secret: turnSecret,
        ttlSeconds: turnTtlSeconds,
      },
    ],
    ...(limits === undefined ? {} : { limits }),
  });
  return kvs;
}

async function startTurn(network: Network): Promise<TurnServer> {
  return TurnServer.start({ ...network.place('turn'), port: turnPort });
}

/** @returns whether the right to mount is there */
async function mountDisk(folder: string, sizeMb: number): Promise<boolean> {
  const size = `size=${String(sizeMb)}m`;
  return run('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]).then(
    () => true,
    () => false,
  );
}
