/** The hosts that a bridge talks to: their names, TCP, TLS. */
import { finding } from '../catalog/catalog.js';
import type { Check, CheckContext } from '../check.js';
import { Unreachable } from '../probes/reach.js';
import type { DoctorFinding } from '../report.js';

interface Endpoint {
  readonly purpose: string;
  readonly url: URL;
}

export const endpointsCheck: Check = {
  topic: 'endpoints',
  run: async (context) => {
    const { aws, options } = context;
    if (options.regionOrigin === undefined && options.endpoint === undefined) return [];
    const controlPlane = { purpose: 'control plane', url: aws.controlPlaneUrl };
    const [signaling, data, archive] = await Promise.all([
      aws.signalingEndpoints(),
      aws.dataEndpoint(),
      aws.archiveEndpoint(),
    ]);
    const endpoints: Endpoint[] = [controlPlane];
    if (signaling.kind === 'done') {
      endpoints.push({ purpose: 'signaling', url: signaling.value.wss });
      endpoints.push({ purpose: 'GetIceServerConfig', url: signaling.value.https });
    }
    if (data.kind === 'done') endpoints.push({ purpose: 'PutMedia', url: data.value });
    if (archive.kind === 'done') endpoints.push({ purpose: 'ListFragments', url: archive.value });
    return Promise.all(byHost(endpoints).map((endpoint) => checkEndpoint(endpoint, context)));
  },
};

/** Endpoints of one host are one. */
function byHost(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const hosts = new Map<string, Endpoint>();
  for (const { purpose, url } of endpoints) {
    const known = hosts.get(url.host);
    const both = known === undefined ? purpose : `${known.purpose}, ${purpose}`;
    hosts.set(url.host, { purpose: both, url: known?.url ?? url });
  }
  return [...hosts.values()];
}

async function checkEndpoint(
  { purpose, url }: Endpoint,
  { aws, options }: CheckContext,
): Promise<DoctorFinding> {
  const reached = await aws.reach(url);
  const { host } = url;
  if (reached.ok) return finding('endpoints.ok', { purpose, host, ms: reached.value.ms });
  const { error, thrown } = reached;
  const obstacle = thrown instanceof Unreachable ? thrown.obstacle : 'network';
  const reason = thrown instanceof Unreachable ? thrown.message : error.message;
  const common = { purpose, host, reason };
  switch (obstacle) {
    case 'name':
      return finding('endpoints.no-name', {
        ...common,
        host: url.hostname,
        region: options.region,
      });
    case 'certificate':
      return finding('endpoints.certificate', common);
    case 'network': {
      if (/^(?:localhost|127\.|\[::1\])/.test(host)) return finding('endpoints.no-local', common);
      const port = url.port === '' ? (/^(?:https|wss):/.test(url.protocol) ? 443 : 80) : url.port;
      return finding('endpoints.unreachable', { ...common, port });
    }
  }
}
