/** Everything that is asked of AWS, each thing once; checks share the answers. */
import { randomBytes } from 'node:crypto';
import { ControlPlane, SignalingRole } from '../../aws/control-plane.js';
import type {
  ChannelDescription,
  MediaStorage,
  SignalingEndpoints,
  StreamDescription,
} from '../../aws/control-plane.js';
import { credentialsOf, loadFromChain, staticCredentials } from '../../aws/credentials.js';
import { awsErrorOf } from '../../aws/aws-errors.js';
import type { AwsFailure } from '../../aws/aws-errors.js';
import { awsDomainOf } from '../../aws/resource-names.js';
import { lookUpByListFragments } from '../../putmedia/list-fragments.js';
import { HandshakeFailure, handshakeError, openWebSocket } from '../../signaling/handshake.js';
import { getIceServers } from '../../signaling/ice-servers.js';
import type { IceServers } from '../../signaling/ice-servers.js';
import { presignSignalingUrl } from '../../signaling/presigned-url.js';
import type { Machine } from '../machine.js';
import type { ResolvedDoctorOptions } from '../options.js';
import { after } from './attempt.js';
import type { Attempt, AttemptBounds, Probe } from './attempt.js';
import { originOf } from './credentials-origin.js';
import type { FoundCredentials } from './credentials-origin.js';
import { tryPutMedia } from './put-media.js';
import { reach } from './reach.js';
import type { Reached } from './reach.js';
import { once, step } from './step.js';
import type { Outcome } from './step.js';

/** A signaling connection that is only opened is closed at once. */
const closeTimeoutMs = 500;

/** The requests, made when their outcome is first asked for. */
export class AwsProbes implements AsyncDisposable {
  readonly controlPlaneUrl: URL;
  readonly credentials: Probe<FoundCredentials>;
  readonly describeChannel: Probe<ChannelDescription>;
  readonly mediaStorage: Probe<MediaStorage>;
  readonly signalingEndpoints: Probe<SignalingEndpoints>;
  readonly iceServers: Probe<IceServers>;
  readonly connectAsViewer: Probe<void>;
  readonly describeStream: Probe<StreamDescription>;
  /** Fails with AWS's refusal where the stream exists; it is left as it is. */
  readonly createStream: Probe<void>;
  readonly dataEndpoint: Probe<URL>;
  readonly archiveEndpoint: Probe<URL>;
  readonly putMedia: Probe<AwsFailure | undefined>;
  readonly listFragments: Probe<void>;
  readonly #options: ResolvedDoctorOptions;
  readonly #bounds: AttemptBounds;
  readonly #reached = new Map<string, () => Promise<Outcome<Reached>>>();
  #controlPlane: ControlPlane | undefined;

  constructor(options: ResolvedDoctorOptions, machine: Machine, bounds: AttemptBounds) {
    this.#options = options;
    this.#bounds = bounds;
    const { region, endpoint, channel, stream, clientId, stunUri, ca } = options;
    this.controlPlaneUrl = new URL(
      endpoint ?? `https://kinesisvideo.${region}.${awsDomainOf(region)}`,
    );
    const trust = ca === undefined ? {} : { ca };
    const found: Probe<undefined> = once(() => this.#prerequisites());
    this.credentials = after(
      () => Promise.resolve({ kind: 'done', value: undefined }),
      () => this.#findCredentials(machine),
      bounds,
    );
    const ready = after(found, async () => required(await this.credentials()), bounds);
    const named = (name: string | undefined, what: string): Probe<ControlPlane> =>
      once(async (): Promise<Attempt<ControlPlane>> => {
        if (name === undefined) return { kind: 'untried', reason: `no ${what} is given` };
        const before = await ready();
        if (before.kind === 'untried') return before;
        if (before.kind === 'failed') {
          return { kind: 'untried', reason: 'there are no credentials' };
        }
        return { kind: 'done', value: this.#controlPlaneFor(before.value) };
      });
    const onChannel = named(channel, 'channel');
    const onStream = named(stream, 'stream');
    const channelName = channel ?? '';
    const streamName = stream ?? '';
    const keys = async (): Promise<FoundCredentials['credentials']> =>
      required(await this.credentials()).credentials;

    this.describeChannel = after(
      onChannel,
      (api, signal) => api.describeChannel(channelName, { signal }),
      bounds,
    );
    this.mediaStorage = after(
      this.describeChannel,
      async ({ arn }, signal) =>
        this.#controlPlaneFor(required(await ready())).mediaStorage(arn, { signal }),
      bounds,
    );
    this.signalingEndpoints = after(
      this.describeChannel,
      async ({ arn }, signal) =>
        this.#controlPlaneFor(required(await ready())).signalingEndpoints(
          arn,
          SignalingRole.viewer,
          { signal },
        ),
      bounds,
    );
    this.iceServers = after(
      this.signalingEndpoints,
      async ({ https }, signal) =>
        getIceServers({
          endpoint: https,
          channelArn: required(await this.describeChannel()).arn,
          clientId,
          region,
          credentials: staticCredentials(await keys()),
          ...(stunUri === undefined ? {} : { stunUri }),
          ...trust,
          signal,
        }),
      bounds,
    );
    this.connectAsViewer = after(
      this.signalingEndpoints,
      async ({ wss }, signal) => {
        const { arn } = required(await this.describeChannel());
        await this.#connect(wss, arn, await keys(), signal);
      },
      bounds,
    );
    this.describeStream = after(
      onStream,
      (api, signal) => api.describeStream(streamName, { signal }),
      bounds,
    );
    this.createStream = after(
      this.describeStream,
      async ({ name }, signal) => {
        // A name that is taken: AWS answers ResourceInUse after it has looked at the permission.
        const api = this.#controlPlaneFor(required(await ready()));
        await api.createStream({ name, retentionHours: options.retentionHours }, { signal });
      },
      bounds,
    );
    this.dataEndpoint = after(
      onStream,
      (api, signal) => api.putMediaEndpoint(streamName, { signal }),
      bounds,
    );
    this.archiveEndpoint = after(
      onStream,
      (api, signal) => api.listFragmentsEndpoint(streamName, { signal }),
      bounds,
    );
    this.putMedia = after(
      this.dataEndpoint,
      async (url, signal) =>
        tryPutMedia({
          ...{ endpoint: url, region, streamName, credentials: await keys(), ca, signal },
        }),
      bounds,
    );
    this.listFragments = after(
      this.archiveEndpoint,
      async (url, signal) => {
        const ask = lookUpByListFragments({
          ...{ endpoint: url.href, region, streamName, credentials: keys, ...trust },
        });
        await ask([Date.now()], { signal });
      },
      bounds,
    );
  }

  /** Whether a host answers; asked once for each. */
  reach(url: URL): Promise<Outcome<Reached>> {
    const key = url.host;
    const probe =
      this.#reached.get(key) ??
      once(() => step((signal) => reach(url, { ca: this.#options.ca, signal }), this.#bounds));
    this.#reached.set(key, probe);
    return probe();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controlPlane?.[Symbol.asyncDispose]();
  }

  /** What no request can do without. */
  async #prerequisites(): Promise<Attempt<undefined>> {
    const { regionOrigin } = this.#options;
    if (regionOrigin === undefined) return { kind: 'untried', reason: 'no region is given' };
    const reached = await this.reach(this.controlPlaneUrl);
    return reached.ok
      ? { kind: 'done', value: undefined }
      : { kind: 'untried', reason: 'the control plane cannot be reached' };
  }

  async #findCredentials({ env }: Machine): Promise<FoundCredentials> {
    const { credentials, region } = this.#options;
    if (credentials !== undefined) {
      const isFixed = typeof credentials !== 'function';
      const given = await credentialsOf(credentials, { region }).get();
      return { credentials: given, origin: { text: 'the options', isFixed } };
    }
    const loaded = await loadFromChain({ region });
    return { credentials: loaded.credentials, origin: originOf(loaded.features, env) };
  }

  #controlPlaneFor({ credentials }: FoundCredentials): ControlPlane {
    const { region, endpoint, ca } = this.#options;
    return (this.#controlPlane ??= new ControlPlane({
      region,
      credentials: staticCredentials(credentials),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(ca === undefined ? {} : { ca }),
    }));
  }

  async #connect(
    endpoint: URL,
    channelArn: string,
    credentials: FoundCredentials['credentials'],
    signal: AbortSignal,
  ): Promise<void> {
    const { region, ca, channel } = this.#options;
    const call = {
      action: 'ConnectAsViewer',
      region,
      host: endpoint.host,
      resource: { type: 'channel', name: channel ?? '' },
    } as const;
    // A client id of its own: with the bridge's, a bridge that runs would lose its connection.
    const clientId = `kvs-bridge-doctor-${randomBytes(4).toString('hex')}`;
    const url = await presignSignalingUrl({ endpoint, channelArn, clientId, region, credentials });
    try {
      const socket = await openWebSocket({
        ...{ url, call, ca, closeTimeoutMs, signal, attach: () => undefined },
      });
      socket.close(1000);
    } catch (error) {
      if (!(error instanceof HandshakeFailure)) throw error;
      const { failure } = error;
      const isAnswer = failure.kind !== 'network' && failure.kind !== 'serverFault';
      throw isAnswer ? handshakeError(error, call) : awsErrorOf(failure, call);
    }
  }
}

/** What an attempt found. @throws its error */
function required<T>(attempt: Attempt<T>): T {
  if (attempt.kind === 'done') return attempt.value;
  throw attempt.kind === 'failed' ? attempt.error : new Error(attempt.reason);
}
