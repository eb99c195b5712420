/**
 * Which errors time mends, and which a person. A Bridge that has once worked outlives both kinds; at
 * its first start a mistake has to show at once.
 */
import { ErrorCode } from '../util/errors.js';
import type { KvsBridgeError } from '../util/errors.js';

/** Tried again rarely: whoever deleted a stream has other things to do first. */
const personCodes: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.options,
  ErrorCode.accessDenied,
  ErrorCode.channelNotFound,
  ErrorCode.storageEnabled,
  ErrorCode.streamNotFound,
  ErrorCode.noRetention,
  ErrorCode.addon,
  ErrorCode.missingPlugin,
]);

/** Whether a person has to act before another try can succeed. */
export function needsPerson({ code }: KvsBridgeError): boolean {
  // Keys come back without one as well: roles rotate, and AWS takes its time to know new ones.
  return code === ErrorCode.credentials || personCodes.has(code);
}

/** Whether the next try is better made after minutes than after seconds. */
export function isSlow({ code }: KvsBridgeError): boolean {
  return personCodes.has(code);
}

/** An error as the reason for a state: what is wrong and what to do about it. */
export function reasonOf({ message, fix }: KvsBridgeError): string {
  return fix === undefined ? message : `${message}. ${fix}`;
}
