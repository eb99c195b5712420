/**
 * Where the examples connect to: AWS, with its ordinary environment (AWS_REGION, AWS_PROFILE, …), or the
 * KVS at KVS_ENDPOINT, such as a `kvs-bridge local`. Then AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
 * are those that it prints.
 */
import type { KvsBridgeOptions } from 'kvs-bridge';

const endpoint = process.env['KVS_ENDPOINT'];

/** Options that each bridge of an example gets. */
export const connection: Pick<KvsBridgeOptions, 'endpoint' | 'stunUri'> =
  // A KVS on this machine needs no STUN server to be reached.
  endpoint === undefined ? {} : { endpoint, stunUri: null };
