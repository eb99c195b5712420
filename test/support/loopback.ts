/** A receiver and a publisher of the real addon, joined in one process. */
import { loadNative } from '../../lib/media/native.js';
import type { NativeEvent } from '../../lib/media/native-events.js';
import type { NativePublisherOptions } from '../../lib/media/native.js';
import { deferred } from '../../lib/util/deferred.js';

/** What a loopback session saw. */
export interface LoopbackResult {
  readonly receiverEvents: readonly NativeEvent[];
  readonly publisherEvents: readonly NativeEvent[];
}

/** Options of {@link runLoopback}. */
export interface LoopbackOptions {
  /** Stops when this many video frames were received. */
  readonly videoFrames: number;
  readonly publisher?: Partial<NativePublisherOptions>;
  /** Of both. @defaultValue GStreamer's */
  readonly dtlsIdentity?: string;
}

const defaults = { iceServers: [], jitterBufferMs: 200, relayOnly: false } as const;

/** Runs a session between a receiver and a publisher until enough frames arrived. */
export async function runLoopback({
  videoFrames,
  publisher: publisherOptions = {},
  dtlsIdentity,
}: LoopbackOptions): Promise<LoopbackResult> {
  const peer = { ...defaults, ...(dtlsIdentity === undefined ? {} : { dtlsIdentity }) };
  const { Receiver, Publisher } = loadNative();
  const receiverEvents: NativeEvent[] = [];
  const publisherEvents: NativeEvent[] = [];
  const closed = deferred<undefined>();
  const publisherClosed = deferred<undefined>();

  const publish = (offer: string): InstanceType<typeof Publisher> => {
    const publisher = new Publisher(
      {
        ...peer,
        offer,
        width: 640,
        height: 360,
        frameRate: 30,
        videoBitrateBps: 600_000,
        audio: true,
        ...publisherOptions,
      },
      (events) => {
        publisherEvents.push(...events);
        for (const event of events) {
          if (event.type === 'localDescription') receiver.setAnswer(event.sdp);
          if (event.type === 'localCandidate') {
            receiver.addCandidate(event.sdpMLineIndex, event.candidate);
          }
          if (event.type === 'closed') publisherClosed.resolve(undefined);
        }
      },
    );
    publisher.start();
    return publisher;
  };

  let publisher: InstanceType<typeof Publisher> | undefined;
  const receiver = new Receiver(
    { ...peer, videoCodecs: ['h264'], audio: 'aac', targetFragmentMs: 2_000 },
    (events) => {
      receiverEvents.push(...events);
      for (const event of events) {
        if (event.type === 'localDescription') publisher = publish(event.sdp);
        if (event.type === 'localCandidate') {
          publisher?.addCandidate(event.sdpMLineIndex, event.candidate);
        }
        if (event.type === 'stats' && event.videoFramesReceived >= videoFrames)
          receiver.stop(2_000);
        if (event.type === 'closed') closed.resolve(undefined);
      }
    },
  );
  receiver.start();
  await closed.promise;
  receiver.dispose();
  publisher?.stop(1_000);
  await publisherClosed.promise;
  publisher?.dispose();
  return { receiverEvents, publisherEvents };
}
