/** STUN and TURN servers, asked as a session would: UDP, TCP and TLS. */
import { lookup } from 'node:dns/promises';
import { failureOfError } from '../../aws/aws-errors.js';
import { toNativeIceServers } from '../../media/ice-servers.js';
import type { NativeIceServer } from '../../media/native.js';
import { stunServersOf } from '../../signaling/ice-servers.js';
import { finding, skipped } from '../catalog/catalog.js';
import type { Check, CheckContext } from '../check.js';
import { step, StepTimeout } from '../probes/step.js';
import type { DoctorFinding } from '../report.js';
import { TurnRefusal, stunBinding, turnAllocation } from '../stun/client.js';
import type { StunProtocol, StunServer } from '../stun/transport.js';

/** A server as its URI names it (RFC 7064, RFC 7065). */
export interface IceUri {
  readonly kind: 'stun' | 'turn';
  readonly host: string;
  readonly port: number;
  readonly protocol: StunProtocol;
}

export const iceCheck: Check = {
  topic: 'ice',
  run: async (context) => {
    const { options, aws } = context;
    const listed = await aws.iceServers();
    const servers =
      listed.kind === 'done'
        ? listed.value.servers
        : options.regionOrigin === undefined && options.stunUri === undefined
          ? []
          : stunServersOf(options);
    const usable = toNativeIceServers(servers).filter(
      ({ uri }) => !options.relayOnly || uri.startsWith('turn'),
    );
    const unlisted =
      listed.kind === 'done'
        ? []
        : [skipped('ice', 'the TURN servers, which GetIceServerConfig would list')];
    if (usable.length === 0) {
      if (listed.kind !== 'done') return unlisted;
      return [options.relayOnly ? finding('ice.no-relay', {}) : finding('ice.host-only', {})];
    }
    const findings = await Promise.all(usable.map((server) => checkServer(server, context)));
    const isNone = findings.every(({ severity }) => severity !== 'ok');
    return [
      ...(isNone ? [finding('ice.none', { count: usable.length })] : []),
      ...findings,
      ...unlisted,
    ];
  },
};

/** Reads a URI; undefined when it is none. Pure. */
export function parseIceUri(uri: string): IceUri | undefined {
  const match =
    /^(stun|turn)(s?):(?:\[([^\]]+)\]|([^:?]+))(?::(\d{1,5}))?(?:\?transport=(\w+))?$/.exec(uri);
  if (match === null) return undefined;
  const [, kind, secure, ipv6, name, port, transport] = match;
  const isSecure = secure === 's';
  const isUdp = (transport ?? (isSecure ? 'tcp' : 'udp')) === 'udp';
  return {
    kind: kind === 'stun' ? 'stun' : 'turn',
    host: ipv6 ?? name ?? '',
    port: port === undefined ? (isSecure ? 5349 : 3478) : Number(port),
    protocol: isUdp ? 'udp' : isSecure ? 'tls' : 'tcp',
  };
}

async function checkServer(
  { uri, username, password }: NativeIceServer,
  { options, bounds }: CheckContext,
): Promise<DoctorFinding> {
  const parsed = parseIceUri(uri);
  if (parsed === undefined) {
    return finding('ice.unresolved', { uri, reason: 'it is no STUN or TURN URI' });
  }
  const found = await step(async () => lookup(parsed.host), bounds);
  if (!found.ok) {
    return finding('ice.unresolved', { uri, reason: failureOfError(found.thrown).name });
  }
  const server = { ...parsed, address: found.value.address, ca: options.ca };
  const outcome = await step(
    (signal) => ask(server, parsed.kind, { username, password }, signal),
    bounds,
  );
  if (outcome.ok) {
    return parsed.kind === 'stun'
      ? finding('ice.stun', { uri, address: outcome.value })
      : finding('ice.turn', { uri });
  }
  return failureFinding(uri, parsed, outcome.thrown);
}

async function ask(
  server: StunServer,
  kind: IceUri['kind'],
  credentials: { readonly username: string; readonly password: string },
  signal: AbortSignal,
): Promise<string> {
  if (kind === 'stun') return stunBinding(server, signal);
  await turnAllocation(server, credentials, signal);
  return '';
}

function failureFinding(
  uri: string,
  { kind, port, protocol }: IceUri,
  thrown: unknown,
): DoctorFinding {
  if (thrown instanceof TurnRefusal) {
    // 401 Unauthorized and 441 Wrong Credentials (RFC 8656, 19).
    const isKeys = thrown.code === 401 || thrown.code === 441;
    const id = isKeys ? 'ice.turn-refused' : 'ice.turn-failed';
    return finding(id, { uri, reason: thrown.message });
  }
  const reason = thrown instanceof StepTimeout ? thrown.message : failureOfError(thrown).name;
  if (kind === 'stun') return finding('ice.stun-silent', { uri, reason, port });
  return finding(protocol === 'udp' ? 'ice.turn-silent' : 'ice.turn-unreachable', {
    ...{ uri, reason, port },
  });
}
