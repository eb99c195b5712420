/** ICE servers as the service lists them, in the form of the native side. */
import type { IceServer } from '../signaling/ice-servers.js';
import type { NativeIceServer } from './native.js';

/**
 * One entry per URI. webrtcbin speaks STUN, and TURN over UDP, TCP and TLS: DTLS (`turns:` over
 * UDP) and STUN over TLS are left out.
 */
export function toNativeIceServers(servers: readonly IceServer[]): NativeIceServer[] {
  return servers.flatMap(({ urls, username, credential }) =>
    urls
      .filter((uri) => !uri.startsWith('stuns:') && !/^turns:.*transport=udp/.test(uri))
      .map((uri) => ({ uri, username: username ?? '', password: credential ?? '' })),
  );
}
