/** The AWS SDK's client for the KVS control plane: loaded late, with keys that may change. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { OptionsError } from '../util/errors.js';
import { callAws } from './aws-call.js';
import { awsClock } from './clock.js';
import type { AwsCredentials, CredentialsSource } from './credentials.js';
import { awsDomainOf } from './resource-names.js';
import type { ResourceRef } from './resource-names.js';

/** Options of {@link ControlPlaneClient}. */
export interface ControlPlaneClientOptions {
  readonly region: string;
  readonly credentials: CredentialsSource;
  /** Another control plane than AWS's own, such as a local KVS. */
  readonly endpoint?: string | URL;
  /** PEM of the authority to trust, for a self-signed certificate. */
  readonly ca?: string;
}

/** One request through the SDK. */
export type SendRequest<T> = (
  api: KinesisVideo,
  http: { readonly abortSignal?: AbortSignal },
) => Promise<T>;

/** Bounds of one attempt: to connect, and for the whole of it. */
export const httpTimeouts = {
  connectionTimeout: 5000,
  requestTimeout: 15_000,
  throwOnRequestTimeout: true,
} as const;

/** Sends control-plane requests with retries and typed errors. Connections are kept between them. */
export class ControlPlaneClient {
  readonly #region: string;
  readonly #credentials: CredentialsSource;
  readonly #endpoint: URL | undefined;
  readonly #agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };
  #client:
    | { readonly keys: AwsCredentials; readonly offsetMs: number; readonly api: KinesisVideo }
    | undefined;

  constructor({ region, credentials, endpoint, ca }: ControlPlaneClientOptions) {
    this.#region = region;
    this.#credentials = credentials;
    this.#endpoint = endpoint === undefined ? undefined : checkEndpoint(endpoint);
    this.#agents = {
      httpAgent: new HttpAgent({ keepAlive: true }),
      httpsAgent: new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) }),
    };
  }

  /** Sends one request about `resource`; see {@link callAws} for what it retries and throws. */
  call<T>(
    action: string,
    resource: ResourceRef,
    send: SendRequest<T>,
    { signal }: { readonly signal?: AbortSignal },
  ): Promise<T> {
    const host =
      this.#endpoint?.host ?? `kinesisvideo.${this.#region}.${awsDomainOf(this.#region)}`;
    return callAws(
      { action, region: this.#region, host, resource },
      async (keys) =>
        send(await this.#apiFor(keys), signal === undefined ? {} : { abortSignal: signal }),
      { credentials: this.#credentials, signal },
    );
  }

  /** Closes idle connections. */
  close(): void {
    this.#client = undefined;
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  /** An SDK client keeps keys without an expiry for ever, so new keys get a new client. */
  async #apiFor(keys: AwsCredentials): Promise<KinesisVideo> {
    const { offsetMs } = awsClock;
    const client = this.#client;
    if (client?.keys === keys && client.offsetMs === offsetMs) return client.api;
    const { KinesisVideo } = await import('@aws-sdk/client-kinesis-video');
    const api = new KinesisVideo({
      region: this.#region,
      credentials: keys,
      systemClockOffset: offsetMs,
      // callAws retries, because the SDK would not retry ClientLimitExceededException.
      maxAttempts: 1,
      requestHandler: { ...httpTimeouts, ...this.#agents },
      ...(this.#endpoint === undefined ? {} : { endpoint: this.#endpoint.href }),
    });
    this.#client = { keys, offsetMs, api };
    return api;
  }
}

function checkEndpoint(endpoint: string | URL): URL {
  const url = URL.canParse(String(endpoint)) ? new URL(endpoint) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '') return url;
  throw new OptionsError('endpoint', 'The KVS endpoint is not an http or https URL', {
    fix: 'Give one like http://127.0.0.1:8443, without user name and password.',
  });
}
