/** What kvssink takes from its process's environment, for want of a property. */

/** Where kvssink connects to. */
export interface KvsSinkPlace {
  readonly region: string;
  /** Control plane to use instead of AWS's. */
  readonly endpoint?: string;
  /** PEM of the authority to trust there. */
  readonly ca?: string;
}

/** Variables that steer kvssink or its SDK; AWS_* also hold credentials that are not ours. */
const steering = /^(AWS_|CONTROL_PLANE_URI$|KVSSINK_|KVS_DEBUG_|DEBUG_DUMP_FRAME_INFO$)/;

/**
 * The variables for kvssink.
 *
 * @param caFile - holds the authority to trust; kvssink insists on a name that ends in `.pem`
 */
export function kvsSinkEnvironment(
  { region, endpoint }: KvsSinkPlace,
  caFile?: string,
): NodeJS.ProcessEnv {
  return {
    // Wins over the element's own property.
    AWS_DEFAULT_REGION: region,
    ...(endpoint === undefined ? {} : { CONTROL_PLANE_URI: endpoint.replace(/\/+$/, '') }),
    ...(caFile === undefined ? {} : { KVSSINK_CA_CERT_PATH: caFile }),
  };
}

/** `environment` without what would steer kvssink. */
export function withoutSteering(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !steering.test(name)));
}
