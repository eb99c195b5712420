import type { MediaSessionOptions } from '../../lib/media/media-session.js';

/** A media session that never gets a peer and so never uploads. */
export const idleSessionOptions: MediaSessionOptions = {
  iceServers: [],
  jitterBufferMs: 200,
  relayOnly: false,
  videoCodecs: ['h264'],
  audio: 'aac',
  targetFragmentMs: 2_000,
  tags: [],
  upload: {
    dataEndpoint: 'http://127.0.0.1:9',
    streamName: 'none',
    region: 'us-east-1',
    expectPersisted: true,
    bufferBytes: 1_000_000,
    sink: 'auto',
    kvssink: { retentionHours: 1, persistTimeoutMs: 15_000, drainTimeoutMs: 10_000 },
  },
};
