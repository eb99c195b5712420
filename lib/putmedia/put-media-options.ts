/** What a PutMediaSink is made from. */
import { OptionsError } from '../util/errors.js';
import type { PutMediaConnectionOptions } from './connection.js';
import type { FragmentSpool } from './fragment-spool.js';
import type { RetryPolicyOptions } from './retry-policy.js';
import { StoredCheck } from './stored-check.js';
import type { PersistedLookup } from './stored-check.js';
import type { UploadOptions } from './upload.js';
import type { UploadQuota } from './upload-pace.js';

/** Options of a `PutMediaSink`. */
export interface PutMediaSinkOptions
  extends Omit<PutMediaConnectionOptions, 'credentialsRefused'>, UploadOptions {
  /** Most memory for media that is not persisted yet, in bytes. @defaultValue 67108864 (64 MiB) */
  readonly bufferBytes?: number;
  /**
   * Whether the stream keeps data. With retention 0 KVS never sends PERSISTED: then false makes
   * RECEIVED release a fragment, and none is ever reported as persisted.
   *
   * @defaultValue true
   */
  readonly expectPersisted?: boolean;
  /**
   * Asked before fragments are sent again that KVS may have stored although the connection broke
   * before it said so. Without it they are sent again, and may then be in the archive twice: at
   * least once instead of exactly once. The same holds when it fails; when it is forbidden
   * (`KVSB_ACCESS_DENIED`) that is reported once, and it is not asked again.
   */
  readonly isPersisted?: PersistedLookup;
  /** Longest wait for one answer of {@link isPersisted}, in ms. @defaultValue 5000 */
  readonly isPersistedTimeoutMs?: number;
  /**
   * How long {@link isPersisted} is asked again about what it does not know, in ms.
   *
   * @defaultValue 3000
   */
  readonly settleMs?: number;
  readonly retry?: RetryPolicyOptions;
  /** What the stream takes; it is not exceeded. @defaultValue no bounds */
  readonly quota?: UploadQuota;
  /**
   * Keeps fragments on disk until they are stored, and orders the uploads of several sinks of the
   * stream; the sink closes it. Without one, what is not stored is lost with the process.
   */
  readonly spool?: FragmentSpool;
}

/** What asks the archive, if anything can. */
export function createStoredCheck({
  isPersisted,
  isPersistedTimeoutMs,
  settleMs,
}: PutMediaSinkOptions): StoredCheck | undefined {
  if (isPersisted === undefined) return undefined;
  return new StoredCheck({
    lookUp: isPersisted,
    ...(isPersistedTimeoutMs === undefined ? {} : { timeoutMs: isPersistedTimeoutMs }),
    ...(settleMs === undefined ? {} : { settleMs }),
  });
}

/** @throws {@link OptionsError} for an endpoint or a buffer that cannot be */
export function checkOptions({ endpoint, bufferBytes }: PutMediaSinkOptions): void {
  const protocol = URL.canParse(endpoint) ? new URL(endpoint).protocol : undefined;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new OptionsError('endpoint', 'The PutMedia endpoint is not an http or https URL', {
      fix: 'Use the DataEndpoint that GetDataEndpoint gives for PUT_MEDIA.',
    });
  }
  if (bufferBytes !== undefined && !(bufferBytes > 0)) {
    throw new OptionsError('bufferBytes', 'The buffer for unconfirmed media must be over 0 bytes');
  }
}
