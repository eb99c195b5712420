/** What a failure of the spool's disk means, and what to do about it. */
import { ErrorCode, KvsBridgeError } from '../util/errors.js';

/** Turns the system's error into one for people. */
export function spoolError(error: Error, folder: string): KvsBridgeError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const { problem, fix } = explain(code, error.message);
  return new KvsBridgeError(
    ErrorCode.dataFolder,
    `${problem}: from now on, what is not stored yet waits in memory instead of ${folder}`,
    { fix, cause: error },
  );
}

function explain(code: string | undefined, message: string): { problem: string; fix: string } {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        problem: `The disk of the spool is full (${code})`,
        fix: 'Free some space, or choose another disk with --spool-dir; it is tried again by itself.',
      };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return {
        problem: `The spool's folder cannot be written to (${code})`,
        fix: 'Give the user that runs kvs-bridge the right to write there, or choose another folder with --spool-dir.',
      };
    default:
      return {
        problem: `The disk of the spool fails (${code ?? message})`,
        fix: 'Check the disk and its file system, or choose another one with --spool-dir; it is tried again by itself.',
      };
  }
}
