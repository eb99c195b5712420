/** Signaling connections end or fall silent, the bridge's and the master's. */
import type { ChaosFault } from '../fault.js';
import { instant, lasting } from '../fault.js';
import type { KvsFault } from '../kvs-process.js';

const group = 'Signaling';
const viewer = { role: 'VIEWER' } as const;

function sent(id: string, title: string, fault: KvsFault): ChaosFault {
  return instant(group, id, title, (world) => world.kvsFault(fault));
}

export const signalingFaults: readonly ChaosFault[] = [
  sent('go-away', 'GO_AWAY', { name: 'sendGoAway', argument: viewer }),
  sent('reconnect-ice-server', 'RECONNECT_ICE_SERVER', {
    name: 'sendReconnectIceServer',
    argument: viewer,
  }),
  sent('signaling-cut', "The bridge's socket is reset", {
    name: 'dropSignaling',
    argument: viewer,
  }),
  sent('signaling-closed', "The bridge's socket is closed with 1001", {
    name: 'dropSignaling',
    argument: { ...viewer, code: 1001 },
  }),
  sent('signaling-silent', "The bridge's socket falls silent", {
    name: 'silenceSignaling',
    argument: viewer,
  }),
  sent('master-signaling-cut', "The master's socket is reset", {
    name: 'dropSignaling',
    argument: { role: 'MASTER' },
  }),
  lasting(
    {
      id: 'signaling-refused',
      title: 'Signaling is reset and refused',
      group,
      seconds: [8, 15],
    },
    async (world) => {
      await world.kvsFault({
        name: 'failCalls',
        argument: { operation: 'ConnectAsViewer', status: 500, times: 1_000 },
      });
      await world.kvsFault({ name: 'dropSignaling', argument: viewer });
      return () => world.clearKvsFaults();
    },
  ),
];
