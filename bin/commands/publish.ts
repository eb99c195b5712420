/** `kvs-bridge publish` */
import { once } from 'node:events';
import { TestMaster } from '../../lib/index.js';
import { connectionOf } from '../cli/connection.js';
import type { commandOptions } from '../cli/command-options.js';
import type { Values } from '../cli/option-table.js';
import type { CommandContext } from '../cli/command-context.js';
import { required } from '../cli/settings.js';

type PublishSettings = Values<(typeof commandOptions.publish)[number]>;

/** Sends the test picture and tone to whoever offers, until told to stop. */
export async function runPublish(
  settings: PublishSettings,
  { output, signal }: CommandContext,
): Promise<void> {
  const channel = required('channel', settings.channel);
  await using master = new TestMaster({
    channel,
    ...connectionOf(settings),
    createChannel: settings.createChannel,
    width: settings.width,
    height: settings.height,
    frameRate: settings.fps,
    videoBitrateBps: settings.bitrate,
    video: settings.video,
    audio: settings.sound,
    videoCodec: settings.videoCodec,
    audioCodec: settings.audioCodec,
    shape: {
      bFrames: settings.bFrames,
      rtpSkewPpm: settings.clockSkewPpm,
      ntpSkewPpm: settings.clockSkewPpm,
    },
  });
  master.on('warning', (error) => {
    output.warning(error);
  });
  master.on('viewer', (viewer) => {
    const { clientId, state, framesSent } = viewer;
    output.event('viewer', viewer, `viewer ${clientId} ${state}, ${framesSent} frames sent`);
  });
  master.on('framesSent', (framesSent) => {
    output.event('framesSent', { framesSent }, `${framesSent} frames sent`, 'debug');
  });
  const stopped = once(signal, 'abort');
  await master.start({ signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (!signal.aborted) {
    output.event('ready', { channel }, `publishing on channel ${channel} to whoever offers`);
    await stopped;
  }
  await master.stop();
  const { framesSent } = master;
  output.event('stopped', { framesSent }, `stopped: ${framesSent} frames sent`);
}
