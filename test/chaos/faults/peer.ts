/** The master, and the way of its media. */
import type { LinkConditions } from '../../support/impairment.js';
import type { ChaosFault } from '../fault.js';
import { instant, lasting, withoutCables } from '../fault.js';

const master = 'Master';
const media = 'Media path';

function path(
  id: string,
  title: string,
  seconds: readonly [number, number],
  conditions: LinkConditions,
): ChaosFault {
  return lasting({ id, title, group: media, seconds }, async (world) => {
    await world.setMediaPath(conditions);
    return () => world.setMediaPath({});
  });
}

export const peerFaults: readonly ChaosFault[] = [
  instant(master, 'master-killed', 'Killed and started', async (world) => {
    await world.master.kill();
    await world.master.start();
  }),
  instant(master, 'master-restarted', 'Left in order and started', async (world) => {
    await world.master.stop();
    await world.master.start();
  }),
  lasting(
    {
      id: 'master-away',
      title: 'Killed, away for a while',
      group: master,
      seconds: [8, 20],
    },
    async (world) => {
      await world.master.kill();
      return () => world.master.start();
    },
  ),
  lasting(
    {
      id: 'master-hung',
      title: 'Hangs (SIGSTOP)',
      group: master,
      seconds: [7, 15],
    },
    (world) => {
      world.master.signal('SIGSTOP');
      return () => {
        world.master.signal('SIGCONT');
      };
    },
  ),
  lasting(
    {
      id: 'master-silent',
      title: 'Sends neither picture nor sound',
      group: master,
      seconds: [7, 12],
    },
    async (world) => {
      await world.master.setSending(false, false);
      return () => world.master.setSending(true, true);
    },
  ),
  lasting(
    {
      id: 'video-silent',
      title: 'Sends sound alone',
      group: master,
      seconds: [7, 12],
    },
    async (world) => {
      await world.master.setSending(false, true);
      return () => world.master.setSending(true, true);
    },
  ),
  instant(master, 'ssrc-changed', 'Goes on with another SSRC', (world) =>
    world.master.changeVideoSsrc(),
  ),
  lasting(
    {
      id: 'master-unplugged',
      title: 'Unplugged',
      group: master,
      seconds: [8, 20],
      missing: withoutCables,
    },
    async ({ network }) => {
      await network.setCable('master', false);
      return () => network.setCable('master', true);
    },
  ),
  path('media-loss', '5 % of packets lost, in bursts', [8, 12], {
    lossPercent: 5,
    burstPackets: 3,
    delayMs: 20,
  }),
  path('media-delay', '200 ms of delay, 60 ms of jitter', [8, 12], { delayMs: 200, jitterMs: 60 }),
  path('media-gone-shortly', 'All packets lost for 2 s', [2, 2], { lossPercent: 100 }),
  path('media-gone', 'All packets lost', [10, 20], { lossPercent: 100 }),
  instant(media, 'turn-restarted', 'The TURN server is killed and started', async (world) => {
    await world.stopTurn();
    await world.startTurn();
  }),
  lasting(
    {
      id: 'turn-away',
      title: 'The TURN server is away',
      group: media,
      seconds: [8, 15],
    },
    async (world) => {
      await world.stopTurn();
      return () => world.startTurn();
    },
  ),
];
