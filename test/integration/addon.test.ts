/** The hand-written types of lib/media/native.ts against the real addon. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { MediaError, ErrorCode } from '../../lib/util/errors.js';
import { makeSelfSigned } from '../../lib/util/x509/self-signed.js';
import { loadNative } from '../../lib/media/native.js';
import type { NativeEvent } from '../../lib/media/native-events.js';
import type { NativeReceiverOptions } from '../../lib/media/native.js';
import { runLoopback } from '../support/loopback.js';

/** Expected members of each event and their JavaScript types, from the TypeScript declarations. */
const shapes: Readonly<Record<NativeEvent['type'], Readonly<Record<string, string>>>> = {
  localDescription: { sdpType: 'string', sdp: 'string' },
  localCandidate: { sdpMLineIndex: 'number', candidate: 'string' },
  connectionState: { connection: 'string', ice: 'string' },
  track: { kind: 'string', codec: 'string', storedAs: 'string', transcoded: 'boolean' },
  epoch: {
    epoch: 'number',
    timecodeMs: 'number',
    videoCodec: 'string',
    width: 'number',
    height: 'number',
    audioCodec: 'string',
    sink: 'string',
    header: 'object',
  },
  fragmentStart: { epoch: 'number', timecodeMs: 'number' },
  mediaData: { data: 'object' },
  fragmentEnd: {
    epoch: 'number',
    timecodeMs: 'number',
    durationMs: 'number',
    videoFrames: 'number',
    audioFrames: 'number',
    silentAudioFrames: 'number',
    bytes: 'number',
  },
  epochEnd: { epoch: 'number', trailer: 'object' },
  sinkAck: {
    epoch: 'number',
    ack: 'string',
    timecodeMs: 'number',
    fragmentNumber: 'string',
    errorId: 'number',
  },
  sinkState: { epoch: 'number', state: 'string', status: 'number', reason: 'string' },
  framesDropped: { videoFrames: 'number', reason: 'string' },
  gap: { fromMs: 'number', toMs: 'number', reason: 'string', videoFramesDropped: 'number' },
  keyframeOverdue: { waitedMs: 'number' },
  stats: {
    videoFramesReceived: 'number',
    audioFramesReceived: 'number',
    videoBytesReceived: 'number',
    videoFramesWritten: 'number',
    videoFramesDropped: 'number',
    keyframeRequests: 'number',
    newestVideoTimecodeMs: 'number',
    newestAudioTimecodeMs: 'number',
    video: 'object',
    audio: 'object',
  },
  senderStats: { framesSent: 'number', keyframeRequests: 'number' },
  error: {
    kind: 'string',
    fatal: 'boolean',
    message: 'string',
    element: 'string',
    debug: 'string',
  },
  closed: {},
};

/** Members of `stats` that are not always there. */
const optional = new Set(['path', 'roundTripMs']);

const options: NativeReceiverOptions = {
  iceServers: [],
  // Long: a busy machine must not look like a bad network.
  jitterBufferMs: 1_000,
  relayOnly: false,
  videoCodecs: ['h264'],
  audio: 'aac',
  targetFragmentMs: 2_000,
};

describe('native addon', () => {
  it('tells its GStreamer version and elements', () => {
    const addon = loadNative();
    assert.match(addon.gstreamerVersion(), /^1\.(2[0-9]|[3-9][0-9])\.\d+$/);
    assert.equal(addon.hasElement('webrtcbin'), true);
    assert.equal(addon.hasElement('no-such-element'), false);
  });

  it('emits events of exactly the declared shapes, and every received frame is written', async () => {
    const { receiverEvents, publisherEvents } = await runLoopback({ videoFrames: 100 });
    for (const event of [...receiverEvents, ...publisherEvents]) {
      const actual = Object.fromEntries(
        Object.entries(event)
          .filter(([key]) => key !== 'type' && !optional.has(key))
          .map(([key, value]) => [key, typeof value]),
      );
      assert.deepEqual(actual, shapes[event.type], event.type);
    }
    const seen = new Set(receiverEvents.map(({ type }) => type));
    for (const type of [
      'epoch',
      'fragmentStart',
      'mediaData',
      'fragmentEnd',
      'epochEnd',
    ] as const) {
      assert.ok(seen.has(type), `no ${type} event`);
    }
    assert.equal(receiverEvents.at(-1)?.type, 'closed');
    const stats = receiverEvents.filter((event) => event.type === 'stats').at(-1);
    const written = receiverEvents
      .filter((event) => event.type === 'fragmentEnd')
      .reduce((sum, { videoFrames }) => sum + videoFrames, 0);
    assert.equal(written, stats?.videoFramesReceived);
    assert.equal(stats?.videoFramesDropped, 0);
    assert.deepEqual(stats.path, { local: 'host', remote: 'host', protocol: 'udp' });
    assert.ok((stats.roundTripMs ?? -1) >= 0, `a round trip of ${String(stats.roundTripMs)} ms`);
    for (const [kind, rtp] of Object.entries({ video: stats.video, audio: stats.audio })) {
      assert.ok(rtp.packetsReceived >= 100, `${kind}: ${JSON.stringify(rtp)}`);
      assert.equal(rtp.packetsLost, 0, kind);
    }
    // The newest request may be younger than the newest look at the counts.
    const asked = stats.video.plisSent + stats.video.firsSent;
    assert.ok(asked >= 1 && asked <= stats.keyframeRequests, `asked ${asked} times`);
  });

  it('shows the certificate that it was given', async () => {
    const { certPem, keyPem } = makeSelfSigned('test');
    const { receiverEvents, publisherEvents } = await runLoopback({
      videoFrames: 10,
      dtlsIdentity: certPem + keyPem,
    });
    // Media flowed, so each found the other's certificate to have the fingerprint of its description.
    const fingerprint = new X509Certificate(certPem).fingerprint256;
    for (const events of [receiverEvents, publisherEvents]) {
      const { sdp = '' } = events.find(({ type }) => type === 'localDescription') as {
        sdp?: string;
      };
      const fingerprints = [...sdp.matchAll(/^a=fingerprint:(.*?)\r?$/gm)].map(([, text]) => text);
      assert.deepEqual(new Set(fingerprints), new Set([`sha-256 ${fingerprint}`]));
    }
  });

  it('throws typed errors that name the wrong option', () => {
    const { Receiver, Publisher } = loadNative();
    const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
      ['jitterBufferMs', { jitterBufferMs: -1 }],
      ['jitterBufferMs', { jitterBufferMs: 0.5 }],
      ['relayOnly', { relayOnly: 'yes' }],
      ['iceServers', { iceServers: {} }],
      ['iceServers[].uri', { iceServers: [{ uri: 1, username: '', password: '' }] }],
      ['audio', { audio: true }],
      ['audio', { audio: 'mp3' }],
      ['videoCodecs', { videoCodecs: [] }],
      ['videoCodecs', { videoCodecs: ['vp8', 'vp8'] }],
      ['videoCodecs', { videoCodecs: ['h266'] }],
      ['targetFragmentMs', { targetFragmentMs: 1e9 }],
      ['dtlsIdentity', { dtlsIdentity: '' }],
      ['dtlsIdentity', { dtlsIdentity: makeSelfSigned('without a key').certPem }],
    ];
    for (const [name, change] of wrong) {
      assert.throws(
        () => new Receiver({ ...options, ...change }, () => undefined),
        (error: unknown) =>
          error instanceof MediaError &&
          error.code === ErrorCode.options &&
          error.message.startsWith(`${name} must be`),
        name,
      );
    }
    assert.throws(() => new Receiver(options, 'x' as never), /onEvents must be a function/);
    assert.throws(
      () => new Publisher({ ...options, audio: true, offer: 'a\0b' } as never, () => undefined),
      /NUL/,
    );
  });

  it('can be disposed in any state, any number of times', async () => {
    const { Receiver } = loadNative();
    const idle = new Receiver(options, () => undefined);
    idle.dispose();
    idle.dispose();
    idle.start();
    idle.stop(0);

    await new Promise<void>((resolve) => {
      const starting = new Receiver(options, (events) => {
        if (events.some(({ type }) => type === 'localDescription')) {
          starting.dispose();
          starting.dispose();
          starting.setAnswer('v=0');
          resolve();
        }
      });
      starting.start();
    });
  });

  it('answers garbage from the peer with typed events and goes on', async () => {
    const { Receiver } = loadNative();
    const errors: string[] = [];
    const receiver = new Receiver(options, (events) => {
      for (const event of events) {
        if (event.type === 'localDescription') {
          receiver.setAnswer('');
          receiver.setAnswer('v=0\r\nm=video 9 RTP/AVP 96\r\n');
          receiver.addCandidate(0, 'candidate:nonsense');
          receiver.addCandidate(7, 'candidate:1 1 UDP 1 127.0.0.1 1234 typ host');
          receiver.stop(500);
        }
        if (event.type === 'error') {
          assert.equal(event.fatal, false);
          assert.equal(event.kind, 'badPeerInput');
          errors.push(event.message);
        }
        if (event.type === 'closed') receiver.dispose();
      }
      if (events.some(({ type }) => type === 'closed')) done();
    });
    let done = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      done = resolve;
    });
    receiver.start();
    await closed;
    assert.equal(errors.length, 4, errors.join('\n'));
  });
});
