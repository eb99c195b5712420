/** Where KVS is, as every command that talks to it understands the options. */
import { readFileSync } from 'node:fs';
import { OptionsError, localCredentials } from '../../lib/index.js';
import type { AwsCredentials } from '../../lib/index.js';
import type { Values } from './option-table.js';

/** The part of the library's options that says where KVS is. */
export interface Connection {
  readonly region?: string;
  readonly endpoint?: string;
  readonly ca?: string;
  readonly credentials?: AwsCredentials;
  readonly stunUri?: string | null;
}

/**
 * Joins the options that say where KVS is; `--local` brings region, credentials and no STUN.
 *
 * @throws {@link OptionsError} when they contradict each other or the CA file cannot be read
 */
export function connectionOf({
  region,
  local,
  endpoint,
  caFile,
  stunServer,
}: Values<'region' | 'local' | 'endpoint' | 'caFile' | 'stunServer'>): Connection {
  if (local !== undefined && endpoint !== undefined) {
    throw new OptionsError('--local', 'Both --local and --endpoint are given', {
      fix: 'Leave one of them out (they may also come from the environment or the config file).',
    });
  }
  const common = {
    ...(caFile === undefined ? {} : { ca: readCa(caFile) }),
    ...(stunServer === undefined ? {} : { stunUri: stunServer }),
  };
  if (local !== undefined) {
    return {
      region: 'us-east-1',
      endpoint: local,
      credentials: localCredentials,
      stunUri: null,
      ...common,
    };
  }
  return {
    ...common,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionsError('--ca-file', `The CA file cannot be read: ${reason}`, {
      fix: 'Correct --ca-file (KVS_BRIDGE_CA_FILE) or the permissions of the file.',
      cause: error,
    });
  }
}
