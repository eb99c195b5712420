/** Errors that no retry mends: a person has to act. */
import { ErrorCode } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';

const fatalCodes: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.options,
  ErrorCode.credentials,
  ErrorCode.accessDenied,
  ErrorCode.channelNotFound,
  ErrorCode.storageEnabled,
  ErrorCode.streamNotFound,
  ErrorCode.noRetention,
  ErrorCode.noMaster,
  ErrorCode.addon,
  ErrorCode.missingPlugin,
]);

/** Whether a retry is of no use. */
export function isFatal({ code }: KvsBridgeError): boolean {
  return fatalCodes.has(code);
}
