/** Look-ups and creations in the KVS control plane (AWS API reference, API version 2017-09-30). */
import { sleep } from '../util/abort.js';
import { Backoff } from '../util/backoff.js';
import { AwsError, ErrorCode, KvsBridgeError, OptionsError } from '../util/errors.js';
import { failureOfError } from './aws-errors.js';
import { ControlPlaneClient } from './control-plane-client.js';
import type { ControlPlaneClientOptions, SendRequest } from './control-plane-client.js';
import { checkRegion, parseResource } from './resource-names.js';
import type { ResourceRef } from './resource-names.js';

/** Which side of a signaling channel a client is. */
export const SignalingRole = { master: 'MASTER', viewer: 'VIEWER' } as const;

/** See {@link SignalingRole}. */
export type SignalingRole = (typeof SignalingRole)[keyof typeof SignalingRole];

/** Life of a channel or stream. */
export type ResourceStatus = 'ACTIVE' | 'CREATING' | 'DELETING' | 'UPDATING';

/** A signaling channel as AWS describes it. */
export interface ChannelDescription {
  readonly name: string;
  readonly arn: string;
  readonly status: ResourceStatus;
}

/** A video stream as AWS describes it. */
export interface StreamDescription {
  readonly name: string;
  readonly arn: string;
  readonly status: ResourceStatus;
  /** How long fragments are kept, in hours; 0 means that nothing is stored. */
  readonly retentionHours: number;
  /** For example `video/h264,audio/aac`; absent when none was set. */
  readonly mediaType?: string;
  /** What a change of the stream has to name. */
  readonly version?: string;
}

/** Whether a channel records by itself (WebRTC ingestion). Then viewers never reach the master. */
export interface MediaStorage {
  readonly enabled: boolean;
  /** The stream that AWS records to, if one is configured. */
  readonly streamArn?: string;
}

/** Where one role of a channel connects. */
export interface SignalingEndpoints {
  /** WebSocket endpoint, not signed yet. */
  readonly wss: URL;
  /** REST endpoint, for GetIceServerConfig. */
  readonly https: URL;
}

/** What {@link ControlPlane.createStream} makes. */
export interface CreateStreamOptions {
  readonly name: string;
  /** How long fragments are kept, in hours, 1 to 87,600. */
  readonly retentionHours: number;
  /** Label for players, `type/subtype[,type/subtype]`. @defaultValue 'video/h264,audio/aac' */
  readonly mediaType?: string;
}

/** Options of {@link ControlPlane}. */
export interface ControlPlaneOptions extends ControlPlaneClientOptions {
  /** How long a creation may take, in ms. @defaultValue 60000 */
  readonly createTimeoutMs?: number;
}

interface Abortable {
  readonly signal?: AbortSignal;
}

const mediaTypePattern = /^[\w\-.+]+\/[\w\-.+]+(?:,[\w\-.+]+\/[\w\-.+]+)*$/;
const maxRetentionHours = 87_600;

/**
 * The KVS control plane of one region. All methods retry passing failures within bounds and reject
 * with an {@link AwsError} that has a fix, or an {@link OptionsError} for a name that cannot be.
 * The AWS SDK is loaded with the first call.
 */
export class ControlPlane implements AsyncDisposable {
  readonly region: string;
  readonly #client: ControlPlaneClient;
  readonly #createTimeoutMs: number;

  /** @throws {@link OptionsError} for a region or endpoint that is not one */
  constructor(options: ControlPlaneOptions) {
    this.region = checkRegion(options.region);
    this.#client = new ControlPlaneClient(options);
    this.#createTimeoutMs = options.createTimeoutMs ?? 60_000;
  }

  /**
   * Looks a channel up by name or ARN.
   *
   * @throws {@link AwsError} with code `KVSB_CHANNEL_NOT_FOUND` when there is none
   */
  async describeChannel(nameOrArn: string, options: Abortable = {}): Promise<ChannelDescription> {
    const action = 'DescribeSignalingChannel';
    const ref = parseResource('channel', nameOrArn, this.region);
    const { ChannelInfo: info } = await this.#client.call(
      action,
      ref,
      (api, http) => api.describeSignalingChannel(channelOf(ref), http),
      options,
    );
    return {
      name: info?.ChannelName ?? ref.name,
      arn: required(info?.ChannelARN, action, 'ChannelARN'),
      status: required(info?.ChannelStatus, action, 'ChannelStatus'),
    };
  }

  /** Makes a single-master channel and waits until it is ACTIVE; one that exists is as good. */
  async createChannel(name: string, options: Abortable = {}): Promise<ChannelDescription> {
    const ref = newResource('channel', name, this.region);
    await this.#create(
      'CreateSignalingChannel',
      ref,
      (api, http) =>
        api.createSignalingChannel({ ChannelName: name, ChannelType: 'SINGLE_MASTER' }, http),
      options,
    );
    return this.#untilActive(ref, () => this.describeChannel(name, options), options);
  }

  /** Whether AWS itself records a channel (DescribeMediaStorageConfiguration). */
  async mediaStorage(nameOrArn: string, options: Abortable = {}): Promise<MediaStorage> {
    const ref = parseResource('channel', nameOrArn, this.region);
    const { MediaStorageConfiguration: storage } = await this.#client.call(
      'DescribeMediaStorageConfiguration',
      ref,
      (api, http) => api.describeMediaStorageConfiguration(channelOf(ref), http),
      options,
    );
    const streamArn = storage?.StreamARN;
    return {
      enabled: storage?.Status === 'ENABLED',
      // AWS sends null where nothing is configured.
      ...(typeof streamArn === 'string' ? { streamArn } : {}),
    };
  }

  /** The endpoints one role of a channel connects to. They do not expire. */
  async signalingEndpoints(
    channelArn: string,
    role: SignalingRole,
    options: Abortable = {},
  ): Promise<SignalingEndpoints> {
    const action = 'GetSignalingChannelEndpoint';
    const ref = parseResource('channel', channelArn, this.region);
    const { ResourceEndpointList: list = [] } = await this.#client.call(
      action,
      ref,
      (api, http) =>
        api.getSignalingChannelEndpoint(
          {
            ChannelARN: channelArn,
            SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: role },
          },
          http,
        ),
      options,
    );
    const endpointOf = (protocol: string): string | undefined =>
      list.find((item) => item.Protocol === protocol)?.ResourceEndpoint;
    return {
      wss: endpointUrl(endpointOf('WSS'), ['wss:', 'ws:'], action),
      https: endpointUrl(endpointOf('HTTPS'), ['https:', 'http:'], action),
    };
  }

  /**
   * Looks a stream up by name or ARN.
   *
   * @throws {@link AwsError} with code `KVSB_STREAM_NOT_FOUND` when there is none
   */
  async describeStream(nameOrArn: string, options: Abortable = {}): Promise<StreamDescription> {
    const action = 'DescribeStream';
    const ref = parseResource('stream', nameOrArn, this.region);
    const { StreamInfo: info } = await this.#client.call(
      action,
      ref,
      (api, http) => api.describeStream(streamOf(ref), http),
      options,
    );
    const mediaType = info?.MediaType;
    const version = info?.Version;
    return {
      name: info?.StreamName ?? ref.name,
      arn: required(info?.StreamARN, action, 'StreamARN'),
      status: required(info?.Status, action, 'Status'),
      retentionHours: info?.DataRetentionInHours ?? 0,
      ...(typeof mediaType === 'string' ? { mediaType } : {}),
      ...(version === undefined ? {} : { version }),
    };
  }

  /**
   * Makes a stream and waits until it is ACTIVE. When one of that name exists it is returned as it
   * is: check its `retentionHours`.
   */
  async createStream(
    { name, retentionHours, mediaType = 'video/h264,audio/aac' }: CreateStreamOptions,
    options: Abortable = {},
  ): Promise<StreamDescription> {
    const ref = newResource('stream', name, this.region);
    checkRetention(retentionHours);
    checkMediaType(mediaType);
    await this.#create(
      'CreateStream',
      ref,
      (api, http) =>
        api.createStream(
          { StreamName: name, DataRetentionInHours: retentionHours, MediaType: mediaType },
          http,
        ),
      options,
    );
    return this.#untilActive(ref, () => this.describeStream(name, options), options);
  }

  /** The base URL of PutMedia for a stream, to which the caller appends `/putMedia`. */
  putMediaEndpoint(nameOrArn: string, options: Abortable = {}): Promise<URL> {
    return this.#dataEndpoint(nameOrArn, 'PUT_MEDIA', options);
  }

  /** The base URL of ListFragments for a stream, to which the caller appends `/listFragments`. */
  listFragmentsEndpoint(nameOrArn: string, options: Abortable = {}): Promise<URL> {
    return this.#dataEndpoint(nameOrArn, 'LIST_FRAGMENTS', options);
  }

  /** Closes idle connections. Calls after it work and open new ones. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  async #dataEndpoint(
    nameOrArn: string,
    apiName: 'LIST_FRAGMENTS' | 'PUT_MEDIA',
    options: Abortable,
  ): Promise<URL> {
    const action = 'GetDataEndpoint';
    const ref = parseResource('stream', nameOrArn, this.region);
    const { DataEndpoint: endpoint } = await this.#client.call(
      action,
      ref,
      (api, http) => api.getDataEndpoint({ ...streamOf(ref), APIName: apiName }, http),
      options,
    );
    return endpointUrl(endpoint, ['https:', 'http:'], action);
  }

  /** A name that is taken is no failure: another process may have made it a moment ago. */
  async #create(
    action: string,
    ref: ResourceRef,
    send: SendRequest<unknown>,
    options: Abortable,
  ): Promise<void> {
    const sendOrFind: SendRequest<unknown> = async (api, http) => {
      try {
        await send(api, http);
      } catch (error) {
        if (failureOfError(error).kind !== 'exists') throw error;
      }
    };
    await this.#client.call(action, ref, sendOrFind, options);
  }

  /** Creation is asynchronous: the name may even be unknown for a moment. */
  async #untilActive<T extends { readonly status: ResourceStatus }>(
    { type, name }: ResourceRef,
    describe: () => Promise<T>,
    { signal }: Abortable,
  ): Promise<T> {
    const deadlineMs = performance.now() + this.#createTimeoutMs;
    const backoff = new Backoff({ minDelayMs: 100, maxDelayMs: 2000 });
    for (;;) {
      const found = await describe().catch((error: unknown) => {
        if (error instanceof KvsBridgeError && isNotFound(error)) return undefined;
        throw error;
      });
      if (found?.status === 'ACTIVE') return found;
      const remainingMs = deadlineMs - performance.now();
      if (remainingMs <= 0) {
        throw new AwsError(
          ErrorCode.aws,
          `The ${type} "${name}" is ${found?.status ?? 'not visible'} and was not ACTIVE within ` +
            `${String(this.#createTimeoutMs)} ms`,
          { fix: 'Wait until AWS shows it as ACTIVE, then start again.' },
        );
      }
      await sleep(Math.min(backoff.nextDelayMs(), remainingMs), signal);
    }
  }
}

function channelOf({ name, arn }: ResourceRef): { ChannelARN: string } | { ChannelName: string } {
  return arn === undefined ? { ChannelName: name } : { ChannelARN: arn };
}

function streamOf({ name, arn }: ResourceRef): { StreamARN: string } | { StreamName: string } {
  return arn === undefined ? { StreamName: name } : { StreamARN: arn };
}

function newResource(type: ResourceRef['type'], name: string, region: string): ResourceRef {
  const ref = parseResource(type, name, region);
  if (ref.arn === undefined) return ref;
  throw new OptionsError(type, `A ${type} cannot be created by its ARN`, {
    fix: `Give the name "${ref.name}".`,
  });
}

function checkRetention(hours: number): void {
  if (Number.isInteger(hours) && hours >= 1 && hours <= maxRetentionHours) return;
  throw new OptionsError('retentionHours', `${String(hours)} is not a retention in hours`, {
    fix: `Give a whole number from 1 to ${String(maxRetentionHours)}; with 0 nothing is stored.`,
  });
}

function checkMediaType(mediaType: string): void {
  if (mediaType.length <= 128 && mediaTypePattern.test(mediaType)) return;
  throw new OptionsError('mediaType', 'The media type is not one that KVS accepts', {
    fix: 'Give one like video/h264 or video/h264,audio/aac.',
  });
}

function isNotFound({ code }: KvsBridgeError): boolean {
  return code === ErrorCode.channelNotFound || code === ErrorCode.streamNotFound;
}

function required<T extends string>(value: T | undefined, action: string, member: string): T {
  if (typeof value === 'string' && value !== '') return value;
  throw incomplete(action, member);
}

function endpointUrl(text: string | undefined, protocols: readonly string[], action: string): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol) || url.search + url.hash !== '') {
    throw incomplete(action, `a usable ${protocols.join(' or ')} endpoint`);
  }
  return url;
}

function incomplete(action: string, missing: string): AwsError {
  return new AwsError(ErrorCode.aws, `The answer to ${action} lacks ${missing}`, {
    fix: 'If an endpoint other than AWS is set, check what it serves; else report it as a bug.',
  });
}
