/** Every fault, in the order of the table. */
import type { ChaosFault } from '../fault.js';
import { bridgeFaults } from './bridge.js';
import { kvsFaults } from './kvs.js';
import { peerFaults } from './peer.js';
import { signalingFaults } from './signaling.js';

export const faults: readonly ChaosFault[] = [
  ...kvsFaults,
  ...signalingFaults,
  ...peerFaults,
  ...bridgeFaults,
];
