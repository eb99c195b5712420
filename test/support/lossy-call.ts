/** A receiver and a publisher of the real addon with a {@link LossyLink} between them. */
import { loadNative } from '../../lib/media/native.js';
import type { NativeEvent } from '../../lib/media/native-events.js';
import type { NativePublisher } from '../../lib/media/native.js';
import { deferred } from '../../lib/util/deferred.js';
import { LossyLink } from './lossy-link.js';
import type { LinkConditions } from './lossy-link.js';

export interface LossyCallOptions {
  /** From the moment both peers are connected; before, only the delay applies. */
  readonly conditions: LinkConditions;
  readonly jitterBufferMs: number;
  /** Ends when the publisher has sent this many frames. */
  readonly framesSent: number;
  readonly seed: number;
  /** What to do to the call once both peers are connected. */
  readonly onConnected?: (call: {
    readonly link: LossyLink;
    readonly publisher: NativePublisher;
  }) => void;
  /** How long a steady video may pause, in ms. @defaultValue the receiver's own */
  readonly silentVideoMs?: number;
  /** Ends the call this long after both peers are connected, in ms. @defaultValue it does not */
  readonly durationMs?: number;
}

export interface LossyCall {
  readonly events: readonly NativeEvent[];
  /** When each event came, in ms since both peers were connected. */
  readonly eventTimesMs: readonly number[];
  /** The recording, epoch by epoch, as Matroska. */
  readonly files: readonly Buffer[];
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesStored: number;
  /** By reason. */
  readonly framesDropped: Readonly<Record<string, number>>;
}

export async function runLossyCall(options: LossyCallOptions): Promise<LossyCall> {
  const { Receiver, Publisher } = loadNative();
  const peer = {
    iceServers: [],
    jitterBufferMs: options.jitterBufferMs,
    relayOnly: false,
  } as const;
  await using link = await LossyLink.open(options.seed);
  const { delayMs = 0 } = options.conditions;
  link.set({ delayMs });
  const events: NativeEvent[] = [];
  const times: number[] = [];
  let connectedAtMs = NaN;
  let end: NodeJS.Timeout | undefined;
  const closed = deferred<undefined>();
  const publisherClosed = deferred<undefined>();
  let framesSent = 0;
  let publisher: InstanceType<typeof Publisher> | undefined;

  const onPublisherEvent = (event: NativeEvent): void => {
    if (event.type === 'localDescription') receiver.setAnswer(withoutCandidates(event.sdp));
    if (event.type === 'localCandidate') {
      const candidate = link.replaceCandidate('publisher', event.candidate);
      if (candidate !== undefined) receiver.addCandidate(event.sdpMLineIndex, candidate);
    }
    if (event.type === 'senderStats') {
      framesSent = event.framesSent;
      if (framesSent >= options.framesSent) receiver.stop(2_000);
    }
    if (event.type === 'closed') publisherClosed.resolve(undefined);
  };
  const receiver = new Receiver(
    {
      ...peer,
      ...{ videoCodecs: ['h264'], audio: 'aac', targetFragmentMs: 2_000 },
      ...(options.silentVideoMs === undefined ? {} : { silentVideoMs: options.silentVideoMs }),
    },
    (batch) => {
      for (const event of batch) {
        events.push(event);
        times.push(performance.now());
        if (event.type === 'localDescription') {
          const source = { width: 640, height: 360, frameRate: 30, videoBitrateBps: 600_000 };
          publisher = new Publisher(
            { ...peer, ...source, audio: true, offer: withoutCandidates(event.sdp) },
            (published) => {
              published.forEach(onPublisherEvent);
            },
          );
          publisher.start();
        }
        if (event.type === 'localCandidate') {
          const candidate = link.replaceCandidate('receiver', event.candidate);
          if (candidate !== undefined) publisher?.addCandidate(event.sdpMLineIndex, candidate);
        }
        if (event.type === 'connectionState' && event.connection === 'connected') {
          link.set(options.conditions);
          connectedAtMs = performance.now();
          if (publisher !== undefined) options.onConnected?.({ link, publisher });
          if (options.durationMs !== undefined) {
            end = setTimeout(() => {
              receiver.stop(2_000);
            }, options.durationMs);
          }
        }
        if (event.type === 'closed') closed.resolve(undefined);
      }
    },
  );
  receiver.start();
  await closed.promise;
  clearTimeout(end);
  receiver.dispose();
  publisher?.stop(1_000);
  await publisherClosed.promise;
  publisher?.dispose();
  const eventTimesMs = times.map((time) => time - connectedAtMs);
  return { ...summarize(events, framesSent), eventTimesMs };
}

/** Peers shall know each other by the link only. */
function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/^a=candidate:.*\r?\n/gm, '');
}

function summarize(
  events: readonly NativeEvent[],
  framesSent: number,
): Omit<LossyCall, 'eventTimesMs'> {
  const files: Buffer[][] = [];
  const framesDropped: Record<string, number> = {};
  let framesReceived = 0;
  let framesStored = 0;
  for (const event of events) {
    if (event.type === 'epoch') files.push([event.header]);
    if (event.type === 'mediaData') files.at(-1)?.push(event.data);
    if (event.type === 'epochEnd') files.at(-1)?.push(event.trailer);
    if (event.type === 'framesDropped') {
      framesDropped[event.reason] = (framesDropped[event.reason] ?? 0) + event.videoFrames;
    }
    if (event.type === 'stats') {
      framesReceived = event.videoFramesReceived;
      framesStored = event.videoFramesWritten;
    }
  }
  return {
    events,
    files: files.map((parts) => Buffer.concat(parts)),
    framesSent,
    framesReceived,
    framesStored,
    framesDropped,
  };
}
