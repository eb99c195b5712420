/** Where AWS credentials come from, and when they are asked for again. */
import * as v from 'valibot';
import { abortable } from '../util/abort.js';
import { awsClock } from './clock.js';
import { AwsError, ErrorCode } from '../util/errors.js';
import { rules } from '../util/options.js';
import { redact } from '../util/redact.js';
import { hideCredentials } from '../util/secrets.js';

/** Keys that sign requests. Secret: never log them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present with temporary credentials (roles, SSO). */
  readonly sessionToken?: string;
  /** When they stop working; absent when they do not expire or nobody said. */
  readonly expiration?: Date;
}

/** Whether a request signed with one is as good as a request signed with the other. */
export function areSameKeys(a: AwsCredentials, b: AwsCredentials): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.secretAccessKey === b.secretAccessKey &&
    a.sessionToken === b.sessionToken
  );
}

/** Hands out credentials that are valid now. */
export interface CredentialsSource {
  /**
   * The current credentials; asks the origin only when there are none or they are about to expire.
   *
   * @throws {@link AwsError} with code `KVSB_CREDENTIALS` when there are none, `KVSB_AWS` when
   * their source cannot be asked right now
   */
  get(options?: { readonly signal?: AbortSignal }): Promise<AwsCredentials>;
  /** Forgets what is cached, for when AWS refused it: the next {@link get} asks the origin. */
  invalidate(): void;
}

/** Options of {@link chainCredentials}. */
export interface ChainCredentialsOptions {
  /** Region for the sources that call AWS themselves (SSO, web identity). */
  readonly region?: string;
  /** Profile in the shared config files. @defaultValue AWS_PROFILE, else `default` */
  readonly profile?: string;
  /** How long before expiry new ones are fetched, in ms. @defaultValue 300000 */
  readonly refreshAheadMs?: number;
  /** Current time in ms since the epoch. @defaultValue AWS's clock */
  readonly now?: () => number;
  /** How long the source may take, in ms. @defaultValue 20000 */
  readonly loadTimeoutMs?: number;
}

/** Credentials that never change, as the local KVS uses them. */
export function staticCredentials(credentials: AwsCredentials): CredentialsSource {
  hideCredentials(credentials);
  return {
    get: ({ signal } = {}) =>
      abortable((resolve) => {
        resolve(credentials);
        return () => undefined;
      }, signal),
    invalidate: () => undefined,
  };
}

/**
 * The ordinary AWS chain: environment, profile (also process and role), SSO, web identity (EKS),
 * container role (ECS), instance metadata (EC2); in the SDK's own order.
 */
export function chainCredentials(options: ChainCredentialsOptions = {}): CredentialsSource {
  const { loadTimeoutMs = 20_000 } = options;
  const load = async (): Promise<AwsCredentials> => (await loadFromChain(options)).credentials;
  return new CachedCredentials(() => withinTime(load(), loadTimeoutMs), options);
}

/** Gives out credentials; it is asked whenever others are needed. */
export type CredentialsProvider = (options: {
  readonly signal: AbortSignal;
}) => AwsCredentials | Promise<AwsCredentials>;

/** What a program hands in, or the ordinary chain. */
export function credentialsOf(
  given: AwsCredentials | CredentialsProvider | undefined,
  options: ChainCredentialsOptions = {},
): CredentialsSource {
  if (given === undefined) return chainCredentials(options);
  if (typeof given !== 'function') return staticCredentials(given);
  const { loadTimeoutMs = 20_000 } = options;
  return new CachedCredentials(
    () => withinTime(loadFromProvider(given, loadTimeoutMs), loadTimeoutMs),
    options,
  );
}

async function loadFromProvider(
  provider: CredentialsProvider,
  timeoutMs: number,
): Promise<AwsCredentials> {
  let credentials: unknown;
  try {
    credentials = await provider({ signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    // Not kept as cause: anything may hang on it.
    const reason = error instanceof Error ? error.message : String(error);
    throw new AwsError(ErrorCode.aws, `The program's credentials could not be had: ${reason}`, {
      fix: 'Check what the credentials option calls; it is asked again.',
    });
  }
  const parsed = v.safeParse(rules.credentials, credentials);
  if (!parsed.success) {
    throw new AwsError(ErrorCode.credentials, 'The credentials option gave out no credentials', {
      fix: 'Let it resolve with accessKeyId and secretAccessKey, and sessionToken and expiration where there are such.',
    });
  }
  hideCredentials(parsed.output);
  return parsed.output;
}

/** Least time between two refreshes of credentials that still work. */
const refreshRetryMs = 30_000;

/** Credentials that work for less than this are renewed before they are handed out. */
const minRemainingMs = 60_000;

class CachedCredentials implements CredentialsSource {
  readonly #load: () => Promise<AwsCredentials>;
  readonly #refreshAheadMs: number;
  readonly #now: () => number;
  #cached: AwsCredentials | undefined;
  #refreshAtMs = 0;
  #loading: Promise<AwsCredentials> | undefined;

  constructor(
    load: () => Promise<AwsCredentials>,
    { refreshAheadMs = 300_000, now = () => awsClock.now() }: ChainCredentialsOptions,
  ) {
    this.#load = load;
    this.#refreshAheadMs = refreshAheadMs;
    this.#now = now;
  }

  get({ signal }: { readonly signal?: AbortSignal } = {}): Promise<AwsCredentials> {
    return abortable((resolve, reject) => {
      // One load serves every caller; an abort only stops this caller's waiting.
      this.#current().then(resolve, reject);
      return () => undefined;
    }, signal);
  }

  invalidate(): void {
    this.#cached = undefined;
    this.#loading = undefined;
  }

  async #current(): Promise<AwsCredentials> {
    const cached = this.#cached;
    if (cached === undefined) return this.#loadOnce();
    const nowMs = this.#now();
    if (nowMs < this.#refreshAtMs) return cached;
    const expiresAtMs = cached.expiration?.getTime() ?? Infinity;
    const refreshed = this.#loadOnce().catch((error: unknown) => {
      // Still good for a while: a passing failure of the origin must not stop a recording.
      if (this.#now() >= expiresAtMs) throw error;
      this.#refreshAtMs = Math.min(nowMs + refreshRetryMs, expiresAtMs);
      return cached;
    });
    if (expiresAtMs - nowMs < minRemainingMs) return refreshed;
    // Nobody has to wait for keys that are not needed yet. A failure shows once they are.
    refreshed.catch(() => undefined);
    return cached;
  }

  #refreshTimeOf({ expiration }: AwsCredentials): number {
    if (expiration === undefined) return Infinity;
    const expiresAtMs = expiration.getTime();
    return Math.max(
      expiresAtMs - this.#refreshAheadMs,
      Math.min(this.#now() + refreshRetryMs, expiresAtMs),
    );
  }

  #loadOnce(): Promise<AwsCredentials> {
    const loading = (this.#loading ??= this.#load());
    return loading.then(
      (credentials) => {
        if (this.#loading === loading) {
          this.#loading = undefined;
          this.#cached = credentials;
          this.#refreshAtMs = this.#refreshTimeOf(credentials);
        }
        return credentials;
      },
      (error: unknown) => {
        if (this.#loading === loading) this.#loading = undefined;
        throw error;
      },
    );
  }
}

/** A source that says nothing must not keep everybody waiting for ever. */
async function withinTime<T>(loading: Promise<T>, timeoutMs: number): Promise<T> {
  const late = new AwsError(
    ErrorCode.aws,
    `The source of the AWS credentials said nothing for ${String(timeoutMs)} ms`,
    { fix: 'Check what gives them out: credential_process, SSO, or the role of task or instance.' },
  );
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort(late);
  }, timeoutMs);
  try {
    return await abortable<T>((resolve, reject) => {
      loading.then(resolve, reject);
      return () => undefined;
    }, timeout.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Variables that name a source which answers over the network, and so may be away for a while. */
const roleVariables = [
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
] as const;

/** How the SDK notes on credentials where they came from; the types do not tell. */
const originSchema = v.object({ $source: v.record(v.string(), v.unknown()) });

/** Credentials of the chain, and which part of it gave them. */
export interface LoadedCredentials {
  readonly credentials: AwsCredentials;
  /** The SDK's names of what took part, such as `CREDENTIALS_PROFILE_SSO`. */
  readonly features: readonly string[];
}

/**
 * Asks the chain once.
 *
 * @throws {@link AwsError} with code `KVSB_CREDENTIALS` when there are none, `KVSB_AWS` when
 * their source cannot be asked right now
 */
export async function loadFromChain({
  region,
  profile,
}: Pick<ChainCredentialsOptions, 'profile' | 'region'>): Promise<LoadedCredentials> {
  // Loaded on first use: with --local it is never needed.
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  try {
    // A new chain each time, past its file cache: it would hand out what it had before.
    const chain = defaultProvider({
      ignoreCache: true,
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { clientConfig: { region } }),
    });
    const loaded = await chain();
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = loaded;
    const credentials: AwsCredentials = {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(expiration === undefined ? {} : { expiration }),
    };
    hideCredentials(credentials);
    const origin = v.safeParse(originSchema, loaded);
    return { credentials, features: origin.success ? Object.keys(origin.output.$source) : [] };
  } catch (error) {
    // Not kept as cause: a credential_process may have printed anything into it.
    const reason = error instanceof Error ? redact(error.message) : 'unknown reason';
    // The chain keeps to itself why a source had none.
    const role = roleVariables.find((name) => (process.env[name] ?? '') !== '');
    if (role !== undefined) {
      throw new AwsError(
        ErrorCode.aws,
        `The credentials of the role behind ${role} could not be loaded: ${reason}`,
        { fix: 'Check that its endpoint can be reached, and the role; it is asked again.' },
      );
    }
    throw new AwsError(ErrorCode.credentials, `No AWS credentials could be loaded: ${reason}`, {
      fix:
        'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE ' +
        '(after `aws sso login` for SSO), or give the ECS task, EKS pod or EC2 instance a role.',
    });
  }
}
